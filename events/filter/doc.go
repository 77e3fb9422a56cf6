// Package filter has the language in which the owner of a subscription says which events it wants,
// by their payloads, and which parts of a payload it is sent.
//
//	f, err := filter.Parse([]byte(`{"order.total": {"$gte": 100}, "region": "eu"}`))
//	…
//	f.Match(payload) // true for {"order":{"total":120},"region":"eu"}
//
// # The language
//
// A filter is a JSON object. Each of its members is a condition, and all must hold: either a path
// into the payload with what is asked of the value there, or one of
//
//	"$and": [filter, …]    all of them hold
//	"$or":  [filter, …]    one of them holds
//	"$not": filter         it does not hold
//
// What is asked of a value is a string, a number, true, false or null, which means $eq; or an
// object of operators, all of which must hold:
//
//	"$eq": value           the same value       "$ne": value           not $eq
//	"$in": [value, …]      one of the values    "$nin": [value, …]     not $in
//	"$gt", "$gte", "$lt", "$lte": number or string
//	"$startsWith": string
//	"$exists": true or false
//	"$not": {operators}    they do not all hold
//
// The filter {} matches everything.
//
// A path names members from the outermost inwards, with dots between: "order.total". In a name that
// has a dot or a backslash of its own, a backslash goes before that, and before a dollar with which
// a path begins: `labels.app\.io/name`, in JSON "labels.app\\.io/name".
//
// # What a path reaches
//
// An array stands for its elements, on the way and at the end: "items.sku" reaches the sku of each
// item, and "tags" each tag. An array that is itself an element of an array is passed over, and no
// step selects an element by its number. A path that passes a value which is no object or array
// reaches nothing. Where an object has a member twice, the last one counts, as in most parsers.
//
// A condition holds if it does for any of the values that are reached: {"tags": "gift"} takes every
// event one of whose tags is gift. In this, MongoDB, Amazon EventBridge, Hookdeck and Convoy agree.
// $ne, $nin and $not are exactly the contrary of the condition that they negate. So they hold if
// *no* value is equal, and if there is none, as in MongoDB.
//
// Two conditions on one path may hold for different elements: {"items.qty": {"$gt": 1, "$lt": 5}}
// takes a payload with the quantities 0 and 9.
//
// # What the operators compare
//
//   - Values of different kinds are never equal, and in no order: "1" is not 1, and false is not 0.
//   - Numbers are compared as the decimals that they are written as, exactly, however many digits
//     they have: 9007199254740993 is not 9007199254740992, and 1.0 is 1e0.
//   - Strings are compared by their Unicode code points, after escapes are decoded: no case is
//     folded, nothing is normalized.
//   - null equals a null that is there, as in EventBridge, and unlike MongoDB, where it also equals
//     what is absent. $exists tells these apart: it is true of a null, and of an empty array.
//   - An object equals nothing; it has $exists.
//
// # Bounds
//
// MaxBytes, MaxConditions, MaxSteps. Parse returns an error that names the place for what exceeds
// them, for an unknown operator, a value of the wrong kind and a member that is given twice.
//
// Match walks the payload once, for all paths together, and builds nothing of it. Of a value that a
// path reaches it makes at most MaxConditions comparisons (of $in, by binary search), so its time
// is bounded by the length of the payload.
//
// # Fields
//
// [Fields] reduces a payload to some paths of it, in the same notation.
//
// All functions are pure and safe for concurrent use.
package filter
