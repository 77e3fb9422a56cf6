# For those who look for one: each target is a line that you could type.
.PHONY: test quick full bench compare faults seeds quickstart
test:       ; ./test
quick:      ; ./test -quick
full:       ; ./test -full
bench:      ; go run ./internal/bench
compare:    ; go run ./internal/bench/compare
faults:     ; OUTHOOK_LONG=1 go test -v -timeout 3h -run Fault ./internal/faults ./dispatcher ./store/boltstore
seeds:      ; go run ./internal/faults/seeded
quickstart: ; go run ./examples/quickstart
