package stream

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsets are the partitions of one topic that are ours now.
type offsets struct {
	topic string

	mu         sync.Mutex
	partitions map[int32]*Partition
}

func newOffsets(topic string) *offsets {
	return &offsets{topic: topic, partitions: map[int32]*Partition{}}
}

func (o *offsets) partition(number int32) *Partition {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.partitions[number]
}

func (o *offsets) assigned(_ context.Context, _ *kgo.Client, added map[string][]int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, number := range added[o.topic] {
		o.partitions[number] = &Partition{}
	}
}

// revoked commits what is done before somebody else reads on. What is in flight is sent again.
func (o *offsets) revoked(ctx context.Context, client *kgo.Client, removed map[string][]int32) {
	if err := o.commit(ctx, client); err != nil {
		log.Printf("last commit before a rebalance: %v", err)
	}
	o.lost(ctx, client, removed)
}

func (o *offsets) lost(_ context.Context, _ *kgo.Client, removed map[string][]int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, number := range removed[o.topic] {
		if partition := o.partitions[number]; partition != nil {
			partition.revoked.Store(true)
		}
		delete(o.partitions, number)
	}
}

// commit commits the lowest offset not done of every partition where that has changed.
func (o *offsets) commit(ctx context.Context, client *kgo.Client) error {
	changed := map[int32]kgo.EpochOffset{}
	o.mu.Lock()
	for number, partition := range o.partitions {
		if next, is := partition.toCommit(); is {
			changed[number] = next
		}
	}
	o.mu.Unlock()
	if len(changed) == 0 {
		return nil
	}
	var failed error
	all := map[string]map[int32]kgo.EpochOffset{o.topic: changed}
	client.CommitOffsetsSync(ctx, all, func(
		_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error,
	) {
		if failed = err; err == nil {
			failed = o.answered(answer, changed)
		}
	})
	return failed
}

func (o *offsets) answered(
	answer *kmsg.OffsetCommitResponse, changed map[int32]kgo.EpochOffset,
) error {
	var failed []error
	for _, topic := range answer.Topics {
		for _, one := range topic.Partitions {
			if err := kerr.ErrorForCode(one.ErrorCode); err != nil {
				failed = append(failed, fmt.Errorf("partition %d: %w", one.Partition, err))
			} else if partition := o.partition(one.Partition); partition != nil {
				partition.setCommitted(changed[one.Partition].Offset)
			}
		}
	}
	return errors.Join(failed...)
}
