module zos-gateway/test/oracle

go 1.21
