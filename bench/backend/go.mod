module zos-gateway/bench/backend

go 1.21
