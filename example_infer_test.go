package bucketlite_test

import (
	"encoding/json"
	"fmt"
	"log"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// A schema is made from two objects. With so few of them, no field is required.
func ExampleInferSchema() {
	const lines = `{"sku": "A-1", "price": 89.5, "released": "2024-05-06", "tags": ["shoes"]}
{"sku": "A-2", "price": 140, "size": {"width": 30}}`
	samples := func(yield func(map[string]any, error) bool) {
		d := json.NewDecoder(strings.NewReader(lines))
		d.UseNumber()
		for d.More() {
			var sample map[string]any
			err := d.Decode(&sample)
			if !yield(sample, err) || err != nil {
				return
			}
		}
	}
	found, err := bucketlite.InferSchema(samples, nil)
	if err != nil {
		log.Fatal(err)
	}
	text, err := json.MarshalIndent(found.Schema, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", text)
	for _, key := range found.Keys {
		fmt.Printf("%s differs in %d samples\n", key.Field, key.Compared)
	}
	// Output:
	// {
	//   "properties": {
	//     "price": {
	//       "type": "number"
	//     },
	//     "released": {
	//       "type": "date"
	//     },
	//     "size": {
	//       "properties": {
	//         "width": {
	//           "type": "integer"
	//         }
	//       },
	//       "type": "object"
	//     },
	//     "sku": {
	//       "type": "string"
	//     },
	//     "tags": {
	//       "items": {
	//         "type": "string"
	//       },
	//       "type": "array"
	//     }
	//   }
	// }
	// sku differs in 2 samples
}
