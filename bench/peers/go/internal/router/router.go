// Package router is the router peer: calls to dispatches, by a configuration that is held in memory.
package router

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"peers/internal/records"
	"peers/internal/stream"
)

const maxCallBytes = 512 * 1024

var (
	errTooLarge       = errors.New("too large for a call")
	errUnknownAccount = errors.New("no such account is configured")
)

type router struct {
	settings stream.Settings
	group    *stream.Group
	table    *table
	reader   *records.Reader
	call     records.CallRouting // used again for every call
}

// Somebody waits for what a router writes; in a backlog it is sent together anyway.
const linger = 0

// Run routes until the context ends, and returns what else stopped it.
func Run(ctx context.Context, settings stream.Settings) error {
	table, err := load(ctx, settings)
	if err != nil {
		return err
	}
	group, err := stream.Join(ctx, settings, "pca-router", "calls", linger)
	if err != nil {
		return err
	}
	go func() {
		if err := table.follow(group.Context()); err != nil {
			group.Fail(err)
		}
	}()
	r := &router{settings: settings, group: group, table: table, reader: records.NewReader()}
	for {
		var batches []stream.Batch
		var marks []*stream.Mark
		goes := group.Poll(func(batch stream.Batch) {
			batches = append(batches, batch)
			marks = append(marks, batch.Partition.Begin(batch.Records[len(batch.Records)-1]))
		})
		if !goes {
			break
		}
		for n, batch := range batches {
			r.route(batch, marks[n])
		}
	}
	return group.Close()
}

// route writes what comes of a batch, which is done when the broker has all of it.
func (r *router) route(batch stream.Batch, mark *stream.Mark) {
	if batch.Partition.Revoked() {
		return
	}
	var left atomic.Int64
	left.Store(1) // for us, until all is written
	acked := func() {
		if left.Add(-1) == 0 {
			mark.Done()
		}
	}
	routedAt := time.Now().UnixMicro()
	for _, record := range batch.Records {
		for _, output := range r.outputs(record, routedAt) {
			left.Add(1)
			r.group.Send(output, acked)
		}
	}
	acked()
}

// outputs are the dispatches of a call, or what keeps a call that cannot be routed.
func (r *router) outputs(record *kgo.Record, routedAt int64) []*kgo.Record {
	outputs, err := r.dispatches(record.Value, routedAt)
	if err == nil {
		return outputs
	}
	reason := "malformed"
	switch {
	case errors.Is(err, errUnknownAccount):
		reason = "unknown_account"
	case errors.Is(err, errTooLarge):
		reason = "too_large"
	case errors.Is(err, records.ErrNoValue):
		reason = "null_value"
	case errors.Is(err, records.ErrForeign):
		reason = "unknown_schema"
	}
	return []*kgo.Record{stream.Kept(r.settings.Prefix+"unrouted", record, reason, err)}
}

func (r *router) dispatches(value []byte, routedAt int64) ([]*kgo.Record, error) {
	if len(value) > maxCallBytes {
		return nil, errTooLarge
	}
	// The whole call is walked through: what is cut off ends here, not in every dispatcher behind.
	call := &r.call
	if err := r.reader.Open(value, records.Call); err != nil {
		return nil, err
	}
	if err := r.reader.Read(records.Call, call); err != nil {
		return nil, err
	}
	if err := r.reader.End(); err != nil {
		return nil, err
	}
	r.table.mu.RLock()
	defer r.table.mu.RUnlock()
	its := r.table.configuration.account(call.AccountID)
	if its == nil {
		return nil, fmt.Errorf("%w: %q", errUnknownAccount, call.AccountID)
	}
	var outputs []*kgo.Record
	topic, body := r.settings.Prefix+"dispatch", value[len(records.Call.Header):]
	err := resolve(call, its, func(label string, one *action) error {
		dispatch, err := dispatchOf(call, body, its.features, label, one, routedAt)
		if err != nil {
			return err
		}
		outputs = append(outputs, &kgo.Record{Topic: topic, Key: one.key, Value: dispatch})
		return nil
	})
	return outputs, err
}
