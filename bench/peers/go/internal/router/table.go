package router

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"peers/internal/stream"
)

// table follows the whole config topic.
type table struct {
	client *kgo.Client

	mu            sync.RWMutex
	configuration *configuration
}

// load reads the topic up to where it ends now.
func load(ctx context.Context, settings stream.Settings) (*table, error) {
	topic := settings.Prefix + "config"
	client, err := kgo.NewClient(append(settings.Options(),
		kgo.ClientID("pca-config"),
		kgo.ConsumeTopics(topic),
		// A partition may end with one of these.
		kgo.KeepControlRecords(),
	)...)
	if err != nil {
		return nil, err
	}
	made := &table{client: client, configuration: newConfiguration()}
	if err := made.readToTheEnd(ctx, topic); err != nil {
		client.Close()
		return nil, fmt.Errorf("loading the configuration: %w", err)
	}
	return made, nil
}

func (t *table) readToTheEnd(ctx context.Context, topic string) error {
	admin := kadm.NewClient(t.client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return err
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	if err := ends.Error(); err != nil {
		return err
	}
	missing := map[int32]int64{} // partition to the offset behind its last record
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(topic, end.Partition)
		if start.Offset < end.Offset {
			missing[end.Partition] = end.Offset
		}
	})
	for len(missing) > 0 {
		err := t.poll(ctx, func(last *kgo.Record) {
			if end, is := missing[last.Partition]; is && last.Offset+1 >= end {
				delete(missing, last.Partition)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// follow applies changes until the context ends or reading fails.
func (t *table) follow(ctx context.Context) error {
	defer t.client.Close()
	for {
		if err := t.poll(ctx, func(*kgo.Record) {}); err != nil {
			return err
		}
	}
}

// poll applies what has come; reached is called with the last record of each partition.
func (t *table) poll(ctx context.Context, reached func(last *kgo.Record)) error {
	fetches := t.client.PollFetches(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := fetches.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	fetches.EachPartition(func(fetched kgo.FetchTopicPartition) {
		for _, record := range fetched.Records {
			if record.Attrs.IsControl() || record.Key == nil {
				continue
			}
			if err := t.configuration.apply(string(record.Key), record.Value); err != nil {
				log.Printf("a configuration record cannot be read, the older one stays: %v", err)
			}
		}
		if count := len(fetched.Records); count > 0 {
			reached(fetched.Records[count-1])
		}
	})
	return nil
}
