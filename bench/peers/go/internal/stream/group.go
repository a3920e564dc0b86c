package stream

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	commitInterval    = time.Second
	pollRecords       = 1000
	maxUnacknowledged = 4_000 // with more a router's dispatches leave the processor's cache
	maxBatchBytes     = 2 * 1024 * 1024
	fetchMaxWait      = 500 * time.Millisecond
	stopTimeout       = 2 * time.Second
)

// Group reads one topic as a member of a consumer group, and writes. An error that would lose a
// record ends it.
type Group struct {
	client  *kgo.Client
	offsets *offsets
	ctx     context.Context
	stop    context.CancelFunc
	ticked  chan struct{} // closed when nothing is committed any more

	failed  sync.Once
	failure error
}

// Batch is what was read of one partition. Nothing in it counts as done until marked so.
type Batch struct {
	Partition *Partition
	Records   []*kgo.Record
}

// Options are those of every client of ours.
func (s Settings) Options() []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(s.Brokers...),
		// What Java's and C's clients have: partitions that are new to us wait for a fetch under way.
		kgo.FetchMaxWait(fetchMaxWait),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.WithLogger(kgo.BasicLogger(log.Writer(), kgo.LogLevelWarn, nil)),
	}
}

// Join starts to read a topic (without prefix); what is written lingers for so long, to be sent with
// what follows. Close must be called in the end.
func Join(
	ctx context.Context, settings Settings, name, topic string, linger time.Duration,
) (*Group, error) {
	ctx, stop := context.WithCancel(ctx)
	known := newOffsets(settings.Prefix + topic)
	client, err := kgo.NewClient(append(settings.Options(),
		kgo.ClientID(name),
		kgo.ConsumerGroup(settings.Prefix+name),
		kgo.ConsumeTopics(known.topic),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(known.assigned),
		kgo.OnPartitionsRevoked(known.revoked),
		kgo.OnPartitionsLost(known.lost),
		// Idempotent with acks=all is the default; records with a key go where Java puts them.
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchMaxBytes(maxBatchBytes),
		kgo.MaxBufferedRecords(maxUnacknowledged),
	)...)
	if err != nil {
		stop()
		return nil, err
	}
	group := &Group{
		client: client, offsets: known, ctx: ctx, stop: stop, ticked: make(chan struct{}),
	}
	go group.commitEverySecond()
	return group, nil
}

// Context ends when the group must stop.
func (g *Group) Context() context.Context {
	return g.ctx
}

// Fail ends the group: nothing in hand may count as done.
func (g *Group) Fail(err error) {
	g.failed.Do(func() {
		// Once it has been told to stop, everything fails.
		if g.ctx.Err() == nil {
			g.failure = err
		}
	})
	g.stop()
}

// Poll waits for records. mark is called for those of each partition before a rebalance may happen.
// It returns false when the group has ended.
func (g *Group) Poll(mark func(Batch)) bool {
	fetches := g.client.PollRecords(g.ctx, pollRecords)
	defer g.client.AllowRebalance()
	if g.ctx.Err() != nil {
		return false
	}
	fetches.EachError(func(topic string, partition int32, err error) {
		if err = fmt.Errorf("reading %s/%d: %w", topic, partition, err); passes(err) {
			log.Print(err)
		} else {
			g.Fail(err)
		}
	})
	fetches.EachPartition(func(fetched kgo.FetchTopicPartition) {
		partition := g.offsets.partition(fetched.Partition)
		if partition != nil && len(fetched.Records) > 0 {
			mark(Batch{partition, fetched.Records})
		}
	})
	return g.ctx.Err() == nil
}

// passes says whether the client only tells of an error, and goes on by itself.
func passes(err error) bool {
	var session *kgo.ErrGroupSession
	var loss *kgo.ErrDataLoss
	return errors.As(err, &session) || errors.As(err, &loss)
}

// Send writes a record and calls acked once the broker has it. It waits while too many are
// unanswered. A record that is refused ends the group.
func (g *Group) Send(record *kgo.Record, acked func()) {
	g.client.Produce(context.Background(), record, func(record *kgo.Record, err error) {
		if err != nil {
			g.Fail(fmt.Errorf("writing to %s: %w", record.Topic, err))
			return
		}
		acked()
	})
}

func (g *Group) commitEverySecond() {
	defer close(g.ticked)
	ticker := time.NewTicker(commitInterval)
	defer ticker.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-ticker.C:
			// One that fails, as in the middle of a rebalance, is made up for by the next.
			if err := g.offsets.commit(g.ctx, g.client); err != nil && g.ctx.Err() == nil {
				log.Printf("commit: %v", err)
			}
		}
	}
}

// Close waits a little for acknowledgements, commits what is done and leaves the group. It returns
// why the group ended, unless it was told to.
func (g *Group) Close() error {
	g.stop()
	<-g.ticked
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := g.client.Flush(ctx); err != nil {
		log.Printf("not all that was written is acknowledged: %v", err)
	}
	if err := g.offsets.commit(ctx, g.client); err != nil {
		log.Printf("last commit: %v", err)
	}
	if err := g.client.LeaveGroupContext(ctx); err != nil {
		log.Printf("leaving the group: %v", err)
	}
	g.client.Close()
	g.failed.Do(func() {})
	return g.failure
}

// Kept is a record that cannot be done, as it came, with where it lay and the reason in its headers.
func Kept(topic string, record *kgo.Record, reason string, detail error) *kgo.Record {
	header := func(key, value string) kgo.RecordHeader {
		return kgo.RecordHeader{Key: key, Value: []byte(value)}
	}
	return &kgo.Record{
		Topic: topic,
		Key:   record.Key,
		Value: record.Value,
		Headers: []kgo.RecordHeader{
			header("reason", reason),
			header("detail", detail.Error()),
			header("topic", record.Topic),
			header("partition", fmt.Sprint(record.Partition)),
			header("offset", fmt.Sprint(record.Offset)),
		},
	}
}
