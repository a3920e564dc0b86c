package dispatcher

import (
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // New York wherever this runs

	"peers/internal/records"
)

// dispatch is what a request is made of.
type dispatch struct {
	records.DispatchFields
	call records.CallFields
}

// value appends what a placeholder holds, encoded; nothing where it does not apply.
type value func(to []byte, d *dispatch) []byte

// placeholders are the twelve that the benches use.
var placeholders = map[string]value{
	"date_time": func(to []byte, d *dispatch) []byte {
		return appendEastern(to, d.call.StartedAt)
	},
	"sid": func(to []byte, d *dispatch) []byte {
		return appendEncoded(to, d.call.Sid)
	},
	"call_type": func(to []byte, d *dispatch) []byte {
		return appendEncoded(to, callType(d.call.CallType))
	},
	"called_number": func(to []byte, d *dispatch) []byte {
		return appendEncoded(to, shownNumber(d.call.CalledNumber, d.call.CalledE164))
	},
	"caller_id": func(to []byte, d *dispatch) []byte {
		return appendEncoded(to, shownNumber(d.call.CallerID, d.call.CallerE164))
	},
	"talk_minutes": func(to []byte, d *dispatch) []byte {
		return appendTenths(to, d.call.TalkSeconds)
	},
	"call_duration": func(to []byte, d *dispatch) []byte {
		return appendMinutes(to, d.call.TalkSeconds, d.call.IntelligentSeconds)
	},
	"last_action": func(to []byte, d *dispatch) []byte {
		return appendEncoded(to, d.call.LastAction)
	},
	"phone_label": func(to []byte, d *dispatch) []byte {
		if d.PhoneLabel != "" {
			return appendEncoded(to, d.PhoneLabel)
		}
		return appendEncoded(to, d.call.PhoneLabel)
	},
	"transferred_to_number": func(to []byte, d *dispatch) []byte {
		return appendEncoded(to, shownNumber(d.call.TransferredToNumber, d.call.TransferredToE164))
	},
	"lookup_last_name": func(to []byte, d *dispatch) []byte {
		if d.call.Lookup == nil || !d.ReverseLookupEnabled {
			return to
		}
		return appendEncoded(to, d.call.Lookup.LastName)
	},
	"recording_duration": func(to []byte, d *dispatch) []byte {
		if d.call.RecordingSeconds == nil {
			return to
		}
		return strconv.AppendInt(to, *d.call.RecordingSeconds, 10)
	},
}

var eastern = func() *time.Location {
	location, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	return location
}()

// appendEastern appends microseconds since 1970 as Eastern time, 2026-07-01 10:03:22, encoded.
func appendEastern(to []byte, microseconds int64) []byte {
	utc := time.UnixMicro(microseconds).UTC()
	local := utc.In(eastern)
	if !hasFourDigits(utc) || !hasFourDigits(local) {
		return to // a foreign producer's idea of a time
	}
	var space [19]byte
	text := local.AppendFormat(space[:0], time.DateTime)
	to = append(to, text[:10]...)
	to = append(to, '+')
	to = append(to, text[11:13]...)
	to = append(to, "%3A"...)
	to = append(to, text[14:16]...)
	to = append(to, "%3A"...)
	return append(to, text[17:]...)
}

func hasFourDigits(moment time.Time) bool {
	return 1 <= moment.Year() && moment.Year() <= 9999
}

// appendTenths appends minutes rounded up to the tenth: 61 s are 1.1.
func appendTenths(to []byte, seconds *int64) []byte {
	if seconds == nil || *seconds < 0 {
		return to
	}
	count := roundedUp(*seconds, 6)
	to = strconv.AppendInt(to, count/10, 10)
	return append(to, '.', byte('0'+count%10))
}

// appendMinutes appends the sum in whole minutes, rounded up once; nothing when neither is known.
func appendMinutes(to []byte, talk, intelligent *int64) []byte {
	if talk == nil && intelligent == nil {
		return to
	}
	var total int64
	if talk != nil {
		total += *talk
	}
	if intelligent != nil {
		total += *intelligent
	}
	if total < 0 {
		return to
	}
	return strconv.AppendInt(to, roundedUp(total, 60), 10)
}

func roundedUp(seconds, unit int64) int64 {
	count := seconds / unit
	if seconds%unit > 0 {
		count++
	}
	return count
}

// shownNumber is 10 national digits for +1, else E.164 without the plus; what has no E.164 form is
// shown as it came.
func shownNumber(raw, e164 string) string {
	switch {
	case e164 == "":
		return raw
	case strings.HasPrefix(e164, "+1") && len(e164) == 12:
		return e164[2:]
	default:
		return e164[1:]
	}
}

func callType(word string) string {
	switch word {
	case "inbound":
		return "Inbound"
	case "outbound":
		return "Outbound"
	case "click-to":
		return "Click-To"
	default:
		return word
	}
}
