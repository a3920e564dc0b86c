package router

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"

	"peers/internal/records"
)

// namespace is that of dispatch ids, 6f1c3c1e-5f0b-5d0a-9a3e-0c5f3a1d7b42.
var namespace = []byte("\x6f\x1c\x3c\x1e\x5f\x0b\x5d\x0a\x9a\x3e\x0c\x5f\x3a\x1d\x7b\x42")

// dispatchID is the UUIDv5 of the four, joined by line breaks.
func dispatchID(accountID, sid string, revision int64, actionID string) string {
	var space [256]byte
	name := append(space[:0], namespace...)
	name = append(append(name, accountID...), '\n')
	name = append(append(name, sid...), '\n')
	name = append(strconv.AppendInt(name, revision, 10), '\n')
	name = append(name, actionID...)
	hash := sha1.Sum(name)
	hash[6] = hash[6]&0x0F | 0x50 // version 5
	hash[8] = hash[8]&0x3F | 0x80 // the variant of RFC 9562
	var text [36]byte
	at := 0
	for _, part := range [...][]byte{hash[:4], hash[4:6], hash[6:8], hash[8:10], hash[10:16]} {
		if at > 0 {
			text[at] = '-'
			at++
		}
		at += hex.Encode(text[at:], part)
	}
	return string(text[:])
}

// dispatchOf is the Dispatch of a call for an action: what stands in front, then the bytes of both,
// untouched. routedAt in microseconds since 1970.
func dispatchOf(
	call *records.CallRouting, body []byte, features *records.AccountFields,
	label string, one *action, routedAt int64,
) ([]byte, error) {
	head := records.DispatchFields{
		DispatchID:           dispatchID(call.AccountID, call.Sid, call.Revision, one.ActionID),
		AccountID:            call.AccountID,
		ActionID:             one.ActionID,
		Sid:                  call.Sid,
		Revision:             call.Revision,
		Attempt:              1,
		ConfigVersion:        features.Version,
		ActionVersion:        one.Version,
		RoutedAt:             routedAt,
		PhoneLabel:           label,
		ReverseLookupEnabled: features.ReverseLookupEnabled,
		SourceTrakEnabled:    features.SourceTrakEnabled,
		LeadFlowEnabled:      features.LeadFlowEnabled,
		CallBytes:            int64(len(body)),
	}
	return records.Encode(records.Dispatch.Header, records.DispatchHead, &head, body, one.body)
}
