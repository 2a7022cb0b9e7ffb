// Reads the text exposition format from stdin with Prometheus' own parser and writes the samples it would store as JSON; with the
// argument protobuf it writes them in the protobuf format instead, as counters that began in the second that is their place.
package main

import (
	"encoding/json"
	"io"
	"log"
	"os"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func main() {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	write := writeJSON
	if len(os.Args) > 1 && os.Args[1] == "protobuf" {
		write = writeProtobuf
	}
	if err := write(os.Stdout, families); err != nil {
		log.Fatal(err)
	}
}

func writeJSON(to io.Writer, families map[string]*dto.MetricFamily) error {
	samples := model.Vector{}
	for _, family := range families {
		more, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, family)
		if err != nil {
			return err
		}
		samples = append(samples, more...)
	}
	return json.NewEncoder(to).Encode(samples)
}

func writeProtobuf(to io.Writer, families map[string]*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(to, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for _, family := range families {
		family.Type = dto.MetricType_COUNTER.Enum()
		for place, metric := range family.Metric {
			began := &timestamppb.Timestamp{Seconds: int64(place) + 1_700_000_000, Nanos: 500_000_000}
			metric.Counter = &dto.Counter{Value: metric.Untyped.Value, CreatedTimestamp: began}
			metric.Untyped = nil
		}
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	return nil
}
