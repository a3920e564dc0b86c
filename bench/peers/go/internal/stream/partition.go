package stream

import (
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Partition says which offsets are done of one partition within one assignment. One that comes back
// is a new Partition, so what belongs to an earlier assignment has nowhere to go.
type Partition struct {
	revoked atomic.Bool

	mu        sync.Mutex
	open      []*Mark // in order of their offsets; the first is not done
	done      kgo.EpochOffset
	committed int64
}

// Mark stands for records in hand: one, or some that end together.
type Mark struct {
	partition *Partition
	next      kgo.EpochOffset
	done      bool
}

// Revoked says that somebody else may own the partition: what has not started should not start.
func (p *Partition) Revoked() bool {
	return p.revoked.Load()
}

// Begin notes that records up to and with this one were read. Offsets come in ascending order;
// those skipped never come, so they count as done.
func (p *Partition) Begin(record *kgo.Record) *Mark {
	next := kgo.EpochOffset{Epoch: record.LeaderEpoch, Offset: record.Offset + 1}
	mark := &Mark{partition: p, next: next}
	p.mu.Lock()
	p.open = append(p.open, mark)
	p.mu.Unlock()
	return mark
}

// Partition is where the records were read from.
func (m *Mark) Partition() *Partition {
	return m.partition
}

// Done says that all that came of the records is acknowledged.
func (m *Mark) Done() {
	p := m.partition
	p.mu.Lock()
	defer p.mu.Unlock()
	m.done = true
	for len(p.open) > 0 && p.open[0].done {
		p.done = p.open[0].next
		p.open[0] = nil
		p.open = p.open[1:]
	}
}

// toCommit is the lowest offset that is not done, unless it is committed already.
func (p *Partition) toCommit() (kgo.EpochOffset, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done, p.done.Offset > p.committed
}

func (p *Partition) setCommitted(offset int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.committed = max(p.committed, offset)
}
