module zos-gateway/tools/launcher

go 1.21
