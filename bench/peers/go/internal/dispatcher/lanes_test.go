package dispatcher

import (
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// held are lanes whose jobs end when told.
type held struct {
	*lanes
	started chan *job
	release chan struct{}
}

func newHeld(limit, perLane int) *held {
	h := &held{started: make(chan *job, 100), release: make(chan struct{})}
	h.lanes = newLanes(limit, perLane, func(one *job) {
		h.started <- one
		<-h.release
	})
	return h
}

func (h *held) addFor(keys ...string) {
	for _, key := range keys {
		h.add(&job{record: &kgo.Record{Key: []byte(key)}})
	}
}

func (h *held) expect(t *testing.T, keys ...string) {
	t.Helper()
	found := map[string]int{}
	for range keys {
		found[string((<-h.started).record.Key)]++
	}
	for _, key := range keys {
		found[key]--
	}
	for key, count := range found {
		if count != 0 {
			t.Fatalf("%s started %+d times too often", key, count)
		}
	}
	select {
	case one := <-h.started:
		t.Fatalf("%s started too", one.record.Key)
	default:
	}
}

func TestALaneThatIsFullHoldsUpNoOther(t *testing.T) {
	h := newHeld(3, 2)
	h.addFor("a", "a", "a", "b", "c")
	h.expect(t, "a", "a", "b")
	h.release <- struct{}{}
	h.expect(t, "c")
	for range 4 {
		h.release <- struct{}{}
	}
	h.expect(t, "a")
	<-h.close()
	if len(h.lanes.lanes) != 0 {
		t.Fatal("lanes are left")
	}
}

func TestEveryJobRunsOnce(t *testing.T) {
	var mu sync.Mutex
	ran := map[*job]int{}
	l := newLanes(4, 2, func(one *job) {
		mu.Lock()
		defer mu.Unlock()
		ran[one]++
	})
	for n := range 1000 {
		l.add(&job{record: &kgo.Record{Key: []byte{byte(n % 7)}}})
	}
	l.workers.Wait()
	<-l.close()
	if len(ran) != 1000 {
		t.Fatalf("%d of 1000 ran", len(ran))
	}
	for _, count := range ran {
		if count != 1 {
			t.Fatalf("one ran %d times", count)
		}
	}
}
