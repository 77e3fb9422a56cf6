package dispatcher

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// answer is what came of one request.
type answer struct {
	attempt    store.Attempt
	retryAfter time.Duration
	keep       []byte // store.Outcome.Body, unless it was a success
}

// responses are buffers for the beginning of a response body.
var responses = sync.Pool{New: func() any { return new([store.MaxResponse]byte) }}

// readResponse returns how the body begins, and reads on as far as is reasonable, so that the connection can be used
// again.
func readResponse(body io.Reader) []byte {
	if body == http.NoBody {
		return nil
	}
	buf := responses.Get().(*[store.MaxResponse]byte)
	defer responses.Put(buf)
	n, err := io.ReadFull(body, buf[:])
	if err == nil {
		io.CopyN(io.Discard, body, maxResponseBody-int64(n)+1)
	}
	if n == 0 {
		return nil
	}
	return bytes.Clone(buf[:n])
}

// describeStatus puts an answer that is not success into words.
func describeStatus(status int) string {
	text := fmt.Sprintf("%s: %d", ClassHTTPStatus, status)
	if name := http.StatusText(status); name != "" {
		text += " " + name
	}
	if status >= 300 && status <= 399 {
		text += "; redirects are not followed"
	}
	return text
}
