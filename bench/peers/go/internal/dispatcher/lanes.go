package dispatcher

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"peers/internal/stream"
)

// job is one Dispatch in hand.
type job struct {
	record *kgo.Record
	mark   *stream.Mark
	lane   *lane
}

// lane holds the jobs of one action.
type lane struct {
	key     string
	started int // running, or waiting for a worker only
	waiting queue[*job]
}

// lanes run jobs on at most limit goroutines, at most perLane of one action at once, in the order in
// which they came. A goroutine does one job after the other while there are any.
type lanes struct {
	limit, perLane int
	run            func(*job)

	mu      sync.Mutex
	lanes   map[string]*lane
	ready   queue[*job]
	running int
	closed  bool
	workers sync.WaitGroup
}

func newLanes(limit, perLane int, run func(*job)) *lanes {
	return &lanes{limit: limit, perLane: perLane, run: run, lanes: map[string]*lane{}}
}

// add takes a job; its record's key names the lane.
func (l *lanes) add(one *job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	its := l.lanes[string(one.record.Key)]
	if its == nil {
		its = &lane{key: string(one.record.Key)}
		l.lanes[its.key] = its
	}
	one.lane = its
	if its.started == l.perLane {
		its.waiting.push(one)
		return
	}
	its.started++
	if l.running == l.limit {
		l.ready.push(one)
		return
	}
	l.running++
	l.workers.Add(1)
	go l.work(one)
}

func (l *lanes) work(one *job) {
	defer l.workers.Done()
	for one != nil {
		l.run(one)
		one = l.next(one)
	}
}

// next is the job to do when one has ended; nil when there is none.
func (l *lanes) next(ended *job) *job {
	l.mu.Lock()
	defer l.mu.Unlock()
	its := ended.lane
	if behind, found := its.waiting.pop(); found && !l.closed {
		l.ready.push(behind)
	} else if its.started--; its.started == 0 {
		delete(l.lanes, its.key)
	}
	if one, found := l.ready.pop(); found && !l.closed {
		return one
	}
	l.running--
	return nil
}

// close lets no more jobs start; the channel is closed when the last has ended.
func (l *lanes) close() <-chan struct{} {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		l.workers.Wait()
		close(ended)
	}()
	return ended
}
