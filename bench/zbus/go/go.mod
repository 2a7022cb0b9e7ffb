module zos-gateway/bench/zbus

go 1.21

require (
	github.com/rs/zerolog v1.14.3
	github.com/threefoldtech/zbus v1.0.1
)

require (
	github.com/golang/protobuf v1.2.0 // indirect
	github.com/gomodule/redigo v1.8.9 // indirect
	github.com/google/uuid v1.1.1 // indirect
	github.com/vmihailenco/msgpack v4.0.3+incompatible // indirect
	golang.org/x/net v0.0.0-20190514140710-3ec191127204 // indirect
	google.golang.org/appengine v1.5.0 // indirect
)
