package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strings"
	"time"

	"github.com/outhook/outhook/store"
)

// callbackFor is how long an address of a handshake is good.
const callbackFor = 24 * time.Hour

// The address by which an endpoint agrees later has, in its query, the ID of the subscription, and
// as the key the time when it ends with an HMAC-SHA256 of both and of the URL. So nothing is kept
// between the two, any process of the host can take the call, and a key is worth nothing for
// another URL.
const (
	timeSize = 8
	keySize  = timeSize + sha256.Size
)

// address returns the address by which the endpoint of sub can agree.
func (o *Options) address(sub *store.Subscription, now time.Time) string {
	q := url.Values{"id": {sub.ID}, "key": {o.key(sub, now.Add(callbackFor))}}
	return o.Callback + "?" + q.Encode()
}

// key returns the key of an address that is good until a time.
func (o *Options) key(sub *store.Subscription, until time.Time) string {
	key := binary.BigEndian.AppendUint64(make([]byte, 0, keySize), uint64(until.Unix()))
	mac := hmac.New(sha256.New, []byte(o.CallbackKey))
	mac.Write([]byte("outhook verify 1\x00" + sub.ID + "\x00" + sub.URL + "\x00"))
	mac.Write(key)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(key))
}

// Granted returns the proof that a call of an address gives; nil if it gives none: the key is not
// that of the subscription and its URL, or too old. rate is the WebHook-Allowed-Rate of the call;
// without one, what the endpoint has allowed before stays. One that can't be read gives no proof
// either.
func (o *Options) Granted(sub *store.Subscription, key, rate string, now time.Time) *Proof {
	if o.Method != Handshake || o.Callback == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil || len(raw) != keySize {
		return nil
	}
	until := time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	if !hmac.Equal([]byte(o.key(sub, until)), []byte(key)) || now.After(until) {
		return nil
	}
	p := Proof{URL: sub.URL, Rate: sub.AllowedRate}
	if rate = strings.TrimSpace(rate); rate != "" {
		ok := false
		if p.Rate, ok = rateOf(rate); !ok {
			return nil
		}
	}
	return &p
}
