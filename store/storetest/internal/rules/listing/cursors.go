package listing

import (
	"encoding/base64"
	"regexp"
	"strconv"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// gaps are how many records others make between two of a tenant's cursors: each number once, in no
// order. By chance 15 numbers are in the order of these once in 10¹² times.
var gaps = []int{5, 13, 1, 9, 16, 3, 12, 7, 14, 2, 11, 4, 15, 10, 6, 8}

// testCursorsTellNothing takes cursors of a tenant while others make more and more records, and
// looks for a number in them that goes by what the others do.
func testCursorsTellNothing(c *check.Driver) {
	mine, theirs := c.NewSub(), c.NewSub()
	mine.Tenant, theirs.Tenant = "mine", "theirs"
	c.Create(mine)
	c.Create(theirs)
	publish := func(tenant string, n int) {
		evs := c.Messages(n)
		for i := range evs {
			evs[i].Tenant = tenant
		}
		c.Enqueue(evs...)
	}
	publish("mine", 1)
	var deliveries, requeues []string
	for _, n := range gaps {
		publish("theirs", n)
		publish("mine", 1)
		q := store.DeliveryQuery{Tenant: "mine", Limit: 1}
		page, err := c.Store.Deliveries(c.Ctx(), q)
		c.Must("Deliveries", err)
		// Oldest first, so all but the newest: its cursor is of the newest but one.
		q.Limit, q.States = len(deliveries)+1, store.States()
		step, err := c.Store.Requeue(c.Ctx(), q)
		c.Must("Requeue", err)
		deliveries, requeues = append(deliveries, page.Next), append(requeues, step.Next)
	}
	var subscriptions []string
	last := c.NewSub()
	last.Tenant = "mine"
	c.Create(last)
	for _, n := range gaps {
		for range n {
			other := c.NewSub()
			other.Tenant = "theirs"
			c.Create(other)
		}
		sub := c.NewSub()
		sub.Tenant = "mine"
		c.Create(sub)
		page, err := c.Store.Subscriptions(c.Ctx(),
			store.SubscriptionQuery{Tenant: "mine", Limit: 2 + len(subscriptions)})
		c.Must("Subscriptions", err)
		subscriptions = append(subscriptions, page.Next)
	}
	for listing, cursors := range map[string][]string{
		"Deliveries": deliveries, "Requeue": requeues, "Subscriptions": subscriptions,
	} {
		if where, leaks := followsGaps(cursors); leaks {
			c.Errorf("cursors of %s: got numbers that grow as others publish, at %s, in %q",
				listing, where, cursors)
		}
	}
}

// followsGaps reports whether cursors have a number in the same place whose differences are in the
// order of gaps, and where. The number may be written in decimal, or be some bytes of the text or
// of what it is the base64 of.
func followsGaps(cursors []string) (where string, follows bool) {
	decimals, texts, decoded := make([][]uint64, 0), make([][]byte, 0), make([][]byte, 0)
	for _, cursor := range cursors {
		decimals = append(decimals, numbersIn(cursor))
		texts = append(texts, []byte(cursor))
		b, _ := base64.RawURLEncoding.DecodeString(cursor) // what comes before an error is decoded
		decoded = append(decoded, b)
	}
	if i, found := numberFollows(decimals); found {
		return "decimal number " + strconv.Itoa(i), true
	}
	for what, all := range map[string][][]byte{"text": texts, "decoded text": decoded} {
		for width := 1; width <= 8; width++ {
			for _, swap := range []bool{false, true} {
				windows := make([][]uint64, len(all))
				for i, b := range all {
					windows[i] = windowsOf(b, width, swap)
				}
				if i, found := numberFollows(windows); found {
					return "byte " + strconv.Itoa(i) + " of its " + what, true
				}
			}
		}
	}
	return "", false
}

var decimal = regexp.MustCompile(`[0-9]{1,18}`)

func numbersIn(text string) (numbers []uint64) {
	for _, digits := range decimal.FindAllString(text, -1) {
		n, _ := strconv.ParseUint(digits, 10, 64) // 18 digits fit
		numbers = append(numbers, n)
	}
	return numbers
}

// windowsOf returns the number that begins at each byte, with the highest byte first, or last.
func windowsOf(b []byte, width int, lastHighest bool) (numbers []uint64) {
	for i := range len(b) - width + 1 {
		n := uint64(0)
		for j := range width {
			k := i + j
			if lastHighest {
				k = i + width - 1 - j
			}
			n = n<<8 | uint64(b[k])
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// numberFollows returns the first place where numbers follow the gaps. all has the numbers of each
// cursor; a place that one of them does not have is none.
func numberFollows(all [][]uint64) (place int, found bool) {
	for place := range all[0] {
		if everyPair(all, place) {
			return place, true
		}
	}
	return 0, false
}

// everyPair reports whether the numbers in a place have grown more the more others have made.
func everyPair(all [][]uint64, place int) bool {
	grown := make([]uint64, len(all))
	for i := range all {
		if place >= len(all[i]) {
			return false
		}
		if i > 0 {
			grown[i] = all[i][place] - all[i-1][place]
		}
	}
	for i := 1; i < len(all); i++ {
		for j := 1; j < i; j++ {
			if gaps[i] > gaps[j] != (grown[i] > grown[j]) || grown[i] == grown[j] {
				return false
			}
		}
	}
	return true
}
