package eventpath

import (
	"testing"
	"time"
)

// TestSteps checks that the steps follow one another, that a median is that of the events that have
// come to the end, and that Run may claim an event before Publish has returned.
func TestSteps(t *testing.T) {
	r := &recorder{events: make(map[string]*passage)}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, id := range []string{"a", "b", "c"} {
		for m := range marks {
			// Of a, each mark is 1 ms after the one before; of b 2 ms, of c 3 ms.
			r.note(m, start.Add(time.Duration(int(m)*(i+1))*time.Millisecond), id)
		}
		r.note(claiming, start.Add(time.Duration(i+1)*1500*time.Microsecond), id)
		r.disk(time.Duration(i+1)*time.Millisecond,
			func(p *passage) *time.Duration { return &p.storing }, []string{id})
	}
	r.note(published, start, "lost")
	m := r.medians()
	if m.n != 3 {
		t.Errorf("%d events came to the end, want 3", m.n)
	}
	steps := m.steps(11) // it arrived between the marks attempted, 10, and answered, 12
	want := []Step{
		{"Publish checks the event", 0, 2, 0},
		{"stored, in a commit", 2, 4, 2},
		{"Run wakes and claims it", 3, 8, 0},
		{"a worker takes it", 8, 10, 0},
		{"signed, sent over a kept connection", 10, 11, 0},
		{"answered, and the answer read", 11, 12, 0},
		{"the outcome goes to the recorder", 12, 14, 0},
		{"the outcome waits for others; a commit", 14, 16, 0},
	}
	for i := range want {
		if steps[i] != want[i] {
			t.Errorf("step %d is %v, want %v", i, steps[i], want[i])
		}
	}
}
