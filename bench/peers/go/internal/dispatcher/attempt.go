package dispatcher

import (
	"net/http"
	"strings"
	"time"

	"peers/internal/records"
)

// attemptOf is the record of a try. made is nil where no request could be made.
func attemptOf(
	d *dispatch, made *request, one answer, result outcome, start time.Time, took time.Duration,
) *records.AttemptFields {
	attempt := &records.AttemptFields{
		AccountID:       d.AccountID,
		DispatchID:      d.DispatchID,
		ActionID:        d.ActionID,
		Sid:             d.Sid,
		Revision:        d.Revision,
		Attempt:         d.Attempt,
		ConfigVersion:   d.ConfigVersion,
		ActionVersion:   d.ActionVersion,
		StartedAt:       start.UnixMicro(),
		DurationUs:      took.Microseconds(),
		ResponseHeaders: one.headers,
		ResponseBody:    one.body,
		Outcome:         result.name,
		Error:           result.class,
		ErrorDetail:     strings.ToValidUTF8(result.detail, "\uFFFD"),
		NextAt:          result.dueAt,
		Fault:           fault(result.class),
	}
	if made != nil {
		seen := one.timings.seen()
		attempt.DNSUs, attempt.ConnectUs, attempt.TLSUs = seen.dns, seen.connect, seen.tls
		attempt.FirstByteUs, attempt.Address = seen.first, seen.address
		attempt.Reused, attempt.Resent = seen.reused, seen.resent
		attempt.Method, attempt.URL = http.MethodGet, made.url
		attempt.RequestHeaders = shown(made.http.Header)
	}
	if one.status != 0 {
		attempt.Status = &one.status
	}
	return attempt
}

// writtenOn is the Dispatch as it goes on to the retries or the dead.
func writtenOn(value []byte, d *dispatch, one answer, result outcome, failedAt int64) ([]byte, error) {
	head := d.DispatchFields
	// Its length, and so where the call begins, is that of the head as it was encoded.
	old, err := records.Encode(nil, records.DispatchHead, &head)
	if err != nil {
		return nil, err
	}
	failure := &records.Failure{Error: result.class, Detail: result.detail, FailedAt: failedAt}
	if one.status != 0 {
		failure.Status = &one.status
	}
	head.DueAt, head.Failure = result.dueAt, failure
	if result.name == "retry" {
		head.Attempt++
	}
	header := records.Dispatch.Header
	return records.Encode(header, records.DispatchHead, &head, value[len(header)+len(old):])
}
