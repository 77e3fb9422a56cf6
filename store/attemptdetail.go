package store

import "time"

// AttemptDetail is what was sent and answered in an attempt, and how long each part of it took.
//
// What may be a credential is masked by the sender before a store gets it: a store keeps what it is
// given, and [History.Erase] removes it.
type AttemptDetail struct {
	// Request and Answer are the headers that were sent and answered, sorted by name, each of at
	// most MaxDetailHeaders bytes. RequestCut and AnswerCut say that there were more: some are
	// missing, or the last value is cut.
	Request, Answer       []HeaderField
	RequestCut, AnswerCut bool

	// RemoteAddress is the IP address and port that the connection was to: a proxy's, if there is
	// one. It is empty if no connection stood, or the transport does not say. At most
	// MaxRemoteAddress bytes.
	RemoteAddress string

	// Reused says that the connection was kept from an earlier attempt; then DNS, Connect and TLS
	// are zero.
	Reused bool

	// DNS is how long the name took to resolve, Connect the connection, TLS the handshake (through
	// a proxy, its CONNECT too), and FirstByte the answer to begin from when the connection stood.
	// Each is from 0 to MaxDuration, and zero if it did not happen. The one in which the attempt
	// ended lasts until that end.
	DNS, Connect, TLS, FirstByte time.Duration

	// Sealed is all of the above as package sealed has encrypted it; then the rest is empty. At
	// most MaxSealedDetail bytes.
	Sealed []byte
}

// HeaderField is one line of HTTP headers.
type HeaderField struct{ Name, Value string }

// The bounds of an [AttemptDetail], in bytes. A header field counts as its name, its value and
// HeaderFieldOverhead.
const (
	MaxDetailHeaders    = 2048
	HeaderFieldOverhead = 4
	MaxRemoteAddress    = 64
	MaxSealedDetail     = 8192
)

// MaxDetails is how many attempts of a delivery keep their Detail: the newest. A store
// that records one more drops the oldest, so what a delivery takes is bounded, however often it has
// failed.
const MaxDetails = 10

// KeepsDetail reports whether an attempt of a delivery that has had so many keeps its Detail. The
// number of the attempt is counted from 1.
func KeepsDetail(number, attempts int) bool { return number > attempts-MaxDetails }

// Masked is what stands in an [AttemptDetail] in place of a value that may be a credential.
const Masked = "***"

// Size returns how many bytes a header field counts as.
func (f *HeaderField) Size() int { return len(f.Name) + len(f.Value) + HeaderFieldOverhead }

// Clone returns a copy that shares nothing with d; nil for nil.
func (d *AttemptDetail) Clone() *AttemptDetail {
	if d == nil {
		return nil
	}
	c := *d
	c.Request = append([]HeaderField(nil), d.Request...)
	c.Answer = append([]HeaderField(nil), d.Answer...)
	c.Sealed = append([]byte(nil), d.Sealed...)
	return &c
}

// Clone returns a copy that shares nothing with a.
func (a *Attempt) Clone() Attempt {
	c := *a
	if a.Response != nil {
		c.Response = append([]byte{}, a.Response...)
	}
	c.Detail = a.Detail.Clone()
	return c
}

// Validate returns an [events.InvalidError] for the first field of d that is out of its bounds. A
// nil d is valid.
func (d *AttemptDetail) Validate() error {
	if d == nil {
		return nil
	}
	for _, h := range [...]struct {
		field  string
		fields []HeaderField
	}{{"attempt.detail.request", d.Request}, {"attempt.detail.answer", d.Answer}} {
		size := 0
		for i := range h.fields {
			size += h.fields[i].Size()
		}
		if size > MaxDetailHeaders {
			return invalid(h.field, "has %d bytes; give %d at most, and say that it is cut", size,
				MaxDetailHeaders)
		}
	}
	if n := len(d.RemoteAddress); n > MaxRemoteAddress {
		return invalid("attempt.detail.remote_address", "has %d bytes; give an address and a port", n)
	}
	if n := len(d.Sealed); n > MaxSealedDetail {
		return invalid("attempt.detail.sealed", "has %d bytes; give %d at most", n, MaxSealedDetail)
	}
	for _, p := range [...]struct {
		field string
		took  time.Duration
	}{
		{"attempt.detail.dns", d.DNS}, {"attempt.detail.connect", d.Connect},
		{"attempt.detail.tls", d.TLS}, {"attempt.detail.first_byte", d.FirstByte},
	} {
		if err := validDuration(p.field, p.took, "if it did not happen"); err != nil {
			return err
		}
	}
	return nil
}
