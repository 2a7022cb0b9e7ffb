// Reads the text exposition format from stdin with Prometheus' own parser and writes the samples it would store as JSON.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func main() {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	var samples model.Vector
	for _, family := range families {
		more, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, family)
		if err != nil {
			log.Fatal(err)
		}
		samples = append(samples, more...)
	}
	if err := json.NewEncoder(os.Stdout).Encode(samples); err != nil {
		log.Fatal(err)
	}
}
