package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/picture"
)

func Example_import() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()
	_, err := products.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"sku": "A-1", "name": "Red sneaker", "price": 79}}, nil)
	check(err)
	importTable(ctx, products)
	exportTable(ctx, products)

	// Output:
	// 1 1
	// 3 price: column 3: number expected, got "cheap"
	// sku,price
	// A-1,79
	// A-2,140
	// B-1,25
	// F-1,19.50
}

func importTable(ctx context.Context, products *bucketlite.Bucket) {
	table := strings.NewReader("sku,name,price,tags\nF-1,Beanie,19.50,\"[\"\"wool\"\"]\"\nF-2,Gloves,cheap,\n")
	report, err := products.Import(ctx, bucketlite.CSV(table, nil), nil)
	check(err)
	fmt.Println(report.Created, report.Refused)
	for _, r := range report.Refusals {
		fmt.Println(r.Line, r.Issues[0])
	}
}

func exportTable(ctx context.Context, products *bucketlite.Bucket) {
	var out strings.Builder
	_, err := products.Export(ctx, &out, &bucketlite.ExportOptions{
		Format: bucketlite.ExportCSV, Columns: []string{"sku", "price"}, Query: bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("sku")}},
	})
	check(err)
	fmt.Print(out.String())
}

func importPictures(ctx context.Context, photos *bucketlite.Bucket) (*bucketlite.ImportReport, error) {
	opts := &bucketlite.FolderOptions{Include: []string{"*.jpg"}, Exclude: []string{"trash"}, Facts: picture.Facts}
	report, err := photos.Import(ctx, bucketlite.Folder(os.DirFS("pictures"), opts), nil)
	return report, err
}

func continueImport(ctx context.Context, notes *bucketlite.Bucket, file io.Reader, mark *bucketlite.ImportMark) (saved []byte, err error) {
	save := func(m bucketlite.ImportMark) (err error) {
		saved, err = json.Marshal(m)
		return err
	}
	report, err := notes.Import(ctx, bucketlite.JSONLines(file), &bucketlite.ImportOptions{Mark: mark, Save: save})
	if err == nil && report.Refused > 0 {
		err = fmt.Errorf("%d refused", report.Refused)
	}
	return saved, err
}

// A mark continues an import whose source has grown.
func Example_continueImport() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()
	lines := "{\"sku\": \"G-1\", \"name\": \"Cap\"}\n"
	saved, err := continueImport(ctx, products, strings.NewReader(lines), nil)
	check(err)
	mark := &bucketlite.ImportMark{}
	check(json.Unmarshal(saved, mark))
	_, err = continueImport(ctx, products, strings.NewReader(lines+"{\"sku\": \"G-2\", \"name\": \"Cup\"}\n"), mark)
	check(err)
	_, err = importPictures(ctx, products)
	fmt.Println(mark.Counts.Records, err != nil)
	// Output:
	// 1 true
}
