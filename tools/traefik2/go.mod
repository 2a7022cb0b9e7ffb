module zos-gateway/tools/traefik2

go 1.25.0

require github.com/traefik/traefik/v2 v2.9.9

require github.com/quic-go/quic-go v0.33.0 // indirect

replace (
	github.com/abbot/go-http-auth => github.com/containous/go-http-auth v0.4.1-0.20200324110947-a37a7636d23e
	github.com/go-check/check => github.com/containous/check v0.0.0-20170915194414-ca0bf163426a
	github.com/gorilla/mux => github.com/containous/mux v0.0.0-20220627093034-b2dd784e613f
	github.com/jaguilar/vt100 => github.com/tonistiigi/vt100 v0.0.0-20190402012908-ad4c4a574305
	github.com/mailgun/minheap => github.com/containous/minheap v0.0.0-20190809180810-6e71eb837595
)

// The one that it was released with refuses to be built by Go 1.21 and newer. HTTP/3 is off in nodes.
replace github.com/quic-go/quic-go => github.com/quic-go/quic-go v0.40.1

// What klog of its time is written against; the QUIC library names a newer one for its own tests.
replace github.com/go-logr/logr => github.com/go-logr/logr v0.4.0

exclude github.com/tencentcloud/tencentcloud-sdk-go v3.0.83+incompatible
