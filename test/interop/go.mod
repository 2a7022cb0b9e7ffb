module zos-gateway/test/interop

go 1.21

require (
	github.com/gomodule/redigo v1.8.9
	github.com/threefoldtech/zbus v1.0.1
	gopkg.in/yaml.v2 v2.4.0
)

require (
	github.com/golang/protobuf v1.2.0 // indirect
	github.com/google/uuid v1.1.1 // indirect
	github.com/rs/zerolog v1.14.3 // indirect
	github.com/vmihailenco/msgpack v4.0.3+incompatible // indirect
	golang.org/x/net v0.0.0-20190514140710-3ec191127204 // indirect
	google.golang.org/appengine v1.5.0 // indirect
)
