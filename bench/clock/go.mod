module zos-gateway/bench/clock

go 1.21
