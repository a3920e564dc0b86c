package sender

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	path = "/hook?client_id=1234"
	form = "from=3125550123&minutes=1.1&label=Yellow+pages&call=inbound"
)

// newRequest makes a webhook with a small form.
func newRequest(ctx context.Context, origin string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, origin+path, strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	request.Header = headers()
	return request, nil
}

// headers are a dispatcher's. Id, signature and trace are others each time, as those of webhooks
// are: what repeats costs HTTP/2 next to nothing, as it compresses headers.
func headers() http.Header {
	var random [56]byte
	for at := 0; at < len(random); at += 8 {
		binary.LittleEndian.PutUint64(random[at:], rand.Uint64())
	}
	id, span, signature := hex.EncodeToString(random[:16]), hex.EncodeToString(random[16:24]), random[24:]
	return http.Header{
		"User-Agent":        {"PostCallAction/1"},
		"Accept":            {"*/*"},
		"Content-Type":      {"application/x-www-form-urlencoded"},
		"webhook-id":        {id},
		"webhook-timestamp": {strconv.FormatInt(time.Now().Unix(), 10)},
		"webhook-attempt":   {"1"},
		"webhook-signature": {"v1," + base64.StdEncoding.EncodeToString(signature)},
		"traceparent":       {"00-" + id + "-" + span + "-01"},
	}
}
