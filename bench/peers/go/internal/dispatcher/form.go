package dispatcher

import "unicode/utf8"

const upperHex = "0123456789ABCDEF"

// unreserved are the bytes that stand for themselves in a query.
var unreserved = characters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

func characters(all string) (table [256]bool) {
	for n := range len(all) {
		table[all[n]] = true
	}
	return table
}

// appendEncoded appends text percent-encoded as UTF-8, a space as a plus; what is no character
// becomes U+FFFD.
func appendEncoded(to []byte, text string) []byte {
	for n := 0; n < len(text); {
		c := text[n]
		switch {
		case unreserved[c]:
			to = append(to, c)
		case c == ' ':
			to = append(to, '+')
		case c < utf8.RuneSelf:
			to = append(to, '%', upperHex[c>>4], upperHex[c&15])
		default:
			char, size := utf8.DecodeRuneInString(text[n:])
			if char == utf8.RuneError && size == 1 {
				to = append(to, "%EF%BF%BD"...)
			} else {
				for _, c := range []byte(text[n : n+size]) {
					to = append(to, '%', upperHex[c>>4], upperHex[c&15])
				}
			}
			n += size
			continue
		}
		n++
	}
	return to
}
