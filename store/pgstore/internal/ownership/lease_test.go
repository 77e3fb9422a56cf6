package ownership

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLease checks that the replica stops to claim before the server's clock lets others take its
// shares, however long the answer to a renewal takes.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lease
		if l.isValid() {
			t.Error("it is valid before the first renewal")
		}
		sent := time.Now()
		<-time.After(2 * time.Second) // until the answer
		l.renewed(sent)
		<-time.After(LeaseTime - renewMargin - 2*time.Second - time.Nanosecond)
		if !l.isValid() {
			t.Error("it is not valid for as long as it may be")
		}
		<-time.After(time.Nanosecond)
		if l.isValid() {
			t.Error("it is valid for longer than it may be")
		}
		l.renewed(time.Now())
		l.end()
		if l.isValid() {
			t.Error("it is valid after its end")
		}
	})
}

// TestTakesPart checks what a replica knows of whether it takes part, and how long it is idle.
func TestTakesPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lease
		if joined, _ := l.state(); joined {
			t.Error("it takes part before it has claimed")
		}
		if l.claim() {
			t.Error("it took part before its first claim")
		}
		<-time.After(time.Minute)
		if joined, idle := l.state(); !joined || idle != time.Minute {
			t.Errorf("a minute after a claim: takes part %t, idle for %v", joined, idle)
		}
		if !l.claim() {
			t.Error("it did not take part before its second claim")
		}
		l.leave()
		if l.claim() {
			t.Error("it took part after it had left")
		}
	})
}
