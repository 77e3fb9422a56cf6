package filter_test

import (
	"fmt"

	"github.com/outhook/outhook/events/filter"
)

func ExampleFilter_Match() {
	f, err := filter.Parse([]byte(`{
		"order.total": {"$gte": 100},
		"$or": [{"region": "eu"}, {"vip": true}]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Match([]byte(`{"order":{"total":120.5},"region":"eu"}`)))
	fmt.Println(f.Match([]byte(`{"order":{"total":120.5},"region":"us"}`)))
	// Output:
	// true
	// false
}

func ExampleParse_error() {
	_, err := filter.Parse([]byte(`{"order.total": {"$gte": true}}`))
	fmt.Println(err)
	// Output:
	// filter at "/order.total/$gte" is neither a number nor a string; give one of them
}

func ExampleFields_Append() {
	f, err := filter.ParseFields([]string{"order.id", "order.items.sku"})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, _ := f.Append(nil, []byte(`{"order":{"id":7,"items":[{"sku":"A","price":9.50}]},"vip":true}`))
	fmt.Println(string(out))
	// Output: {"order":{"id":7,"items":[{"sku":"A"}]}}
}
