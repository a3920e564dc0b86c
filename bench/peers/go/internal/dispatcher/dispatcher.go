// Package dispatcher is the dispatcher peer: dispatches to requests, and what became of them to
// attempts, retries and the dead.
package dispatcher

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"peers/internal/records"
	"peers/internal/stream"
)

const stopTimeout = 2 * time.Second // for what is in flight when the process is told to stop

// dispatcher delivers.
type dispatcher struct {
	settings stream.Settings
	group    *stream.Group
	actions  *actions
	lanes    *lanes
	room     chan struct{} // what is in hand: waiting or in flight
	requests context.Context
}

// Nobody waits for an attempt or a retry but the offset that it completes.
const linger = 50 * time.Millisecond

// Run delivers until the context ends, and returns what else stopped it.
func Run(ctx context.Context, settings stream.Settings) error {
	group, err := stream.Join(ctx, settings, "pca-dispatcher", "dispatch", linger)
	if err != nil {
		return err
	}
	requests, cancel := context.WithCancel(context.Background())
	defer cancel()
	d := &dispatcher{
		settings: settings,
		group:    group,
		actions:  newActions(settings),
		room:     make(chan struct{}, 2*settings.InFlight),
		requests: requests,
	}
	d.lanes = newLanes(settings.InFlight, settings.InFlightPerAction, d.deliver)
	for d.turn() {
	}
	ended := d.lanes.close()
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		cancel() // not done, so they are sent again
		<-ended
	}
	return group.Close()
}

// turn takes in one poll's records.
func (d *dispatcher) turn() bool {
	var jobs []*job
	goes := d.group.Poll(func(batch stream.Batch) {
		for _, record := range batch.Records {
			jobs = append(jobs, &job{record: record, mark: batch.Partition.Begin(record)})
		}
	})
	for _, one := range jobs {
		select {
		case d.room <- struct{}{}:
			d.lanes.add(one)
		case <-d.group.Context().Done():
			return false
		}
	}
	return goes
}

// decoding is what a try needs until its record is written.
type decoding struct {
	reader   *records.Reader
	dispatch dispatch
}

var decodings = sync.Pool{New: func() any { return &decoding{reader: records.NewReader()} }}

// deliver makes one try.
func (d *dispatcher) deliver(one *job) {
	defer func() { <-d.room }()
	if one.mark.Partition().Revoked() {
		return
	}
	decoding := decodings.Get().(*decoding)
	defer decodings.Put(decoding)
	action, refused, err := d.read(decoding, one.record.Value)
	if err != nil {
		dead := stream.Kept(d.settings.Prefix+"dead", one.record, "malformed", err)
		d.group.Send(dead, one.mark.Done)
		return
	}
	d.try(one, &decoding.dispatch, action, refused)
}

// read decodes a Dispatch; its action only where that is not known yet.
func (d *dispatcher) read(into *decoding, value []byte) (*action, *unsendable, error) {
	reader, its := into.reader, &into.dispatch
	if err := reader.Open(value, records.Dispatch); err != nil {
		return nil, nil, err
	}
	if err := reader.Read(records.DispatchHead, &its.DispatchFields); err != nil {
		return nil, nil, err
	}
	if err := reader.Read(records.Call, &its.call); err != nil {
		return nil, nil, err
	}
	return d.actions.of(&its.DispatchFields, reader)
}

func (d *dispatcher) try(one *job, its *dispatch, action *action, refused *unsendable) {
	start := time.Now()
	var made *request
	if refused == nil {
		made, refused = action.newRequest(its, start)
	}
	var got answer
	var result outcome
	if refused != nil {
		result = outcome{name: "dead", class: refused.class, detail: refused.detail}
	} else {
		got = action.client.send(d.requests, made.http, start)
		if d.requests.Err() != nil && got.err != nil {
			return // told to stop
		}
		result = judge(got, its.Attempt, time.Now(), d.settings)
	}
	took := time.Since(start)
	d.write(one, its, got, result, attemptOf(its, made, got, result, start, took))
}

// write writes what came of a try; then the record is done.
func (d *dispatcher) write(
	one *job, its *dispatch, got answer, result outcome, attempt *records.AttemptFields,
) {
	value, err := records.Encode(records.Attempt.Header, records.Attempt, attempt)
	if err != nil {
		d.group.Fail(err)
		return
	}
	outputs := []*kgo.Record{{
		Topic: d.settings.Prefix + "attempts", Key: []byte(its.AccountID), Value: value,
	}}
	// Of a partition that was taken away, somebody else has the dispatch as it was read.
	if result.name != "delivered" && !one.mark.Partition().Revoked() {
		failedAt := attempt.StartedAt + attempt.DurationUs
		value, err := writtenOn(one.record.Value, its, got, result, failedAt)
		if err != nil {
			d.group.Fail(err)
			return
		}
		topic := d.settings.Prefix + "dead"
		if result.name == "retry" {
			topic = d.settings.Prefix + "retry." + d.settings.FirstRetry
		}
		outputs = append(outputs, &kgo.Record{Topic: topic, Key: one.record.Key, Value: value})
	}
	var left atomic.Int32
	left.Store(int32(len(outputs)))
	for _, output := range outputs {
		d.group.Send(output, func() {
			if left.Add(-1) == 0 {
				one.mark.Done()
			}
		})
	}
}
