package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// row is one object: ten fields, 396 bytes as JSON, and a unique key in the field "sku".
// It is made before the clock starts, in every form that a peer takes.
type row struct {
	number int
	key    string
	fields map[string]any
	text   []byte // fields as JSON
	values []any  // of the columns of a table of SQLite
}

var categories = []string{"shoes", "shirts", "hats", "socks"}

// stocks is the number of values of the field "stock", which are equally frequent.
const stocks = 1000

// drawn returns the values of row number n that differ without order.
func drawn(n int) (body [7]uint64, category string, price float64, stock int, active bool) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range body {
		body[i] = r.Uint64()
	}
	return body, categories[r.IntN(len(categories))], float64(r.IntN(100_000)) / 100, r.IntN(stocks), r.IntN(2) == 0
}

// newRow returns row number n, which is the same in every run.
func newRow(n int) *row {
	body, category, price, stock, active := drawn(n)
	return rowOf(n, map[string]any{
		"sku":       keyOf(n),
		"title":     fmt.Sprintf("Red sneaker number %d with a rather long title", n),
		"body":      strings.Trim(fmt.Sprintf("%016x", body), "[]"),
		"category":  category,
		"price":     price,
		"stock":     stock,
		"active":    active,
		"released":  "2024-05-06",
		"updated":   "2024-05-06T07:08:09Z",
		"publisher": "The Acme Publishing Company of New Springfield, Oregon",
	})
}

func rowOf(n int, fields map[string]any) *row {
	r := &row{number: n, key: keyOf(n), fields: fields, text: encode(fields)}
	r.values = r.sqlValues()
	return r
}

func keyOf(n int) string { return fmt.Sprintf("sku-%09d", n) }

// newRows returns the rows with the numbers of an order, from position from on.
func newRows(order func(int) int, from, count int) []*row {
	rows := make([]*row, count)
	for i := range rows {
		rows[i] = newRow(order(from + i))
	}
	return rows
}

// rising is the order of keys that are inserted at the end of their index.
func rising(i int) int { return i }

// scatterBits is how many bits a number in scattered order has: as many as fit the nine
// digits of a key.
const scatterBits = 29

// scattered is the order of keys that are inserted all over their index. It repeats no
// number below 1<<scatterBits.
func scattered(i int) int {
	const mask = 1<<scatterBits - 1
	n := uint64(i) & mask
	n = n * 0x9E3779B1 & mask
	n ^= n >> 13
	n = n * 0x85EBCA6B & mask
	return int(n ^ n>>16)
}

// changed returns the row with other contents under its key, for updates.
func (r *row) changed(round int) *row {
	fields := make(map[string]any, len(r.fields))
	for name, v := range r.fields {
		fields[name] = v
	}
	fields["stock"] = (r.number + round + 1) % stocks
	return rowOf(r.number, fields)
}

// verify reports an error unless the fields that a peer returned are those of the row.
func (r *row) verify(fields map[string]any) error {
	if got := encode(fields); !bytes.Equal(got, r.text) {
		return fmt.Errorf("row %q: got %s, want %s", r.key, got, r.text)
	}
	return nil
}

// encode returns fields as JSON, with the names in order.
func encode(fields map[string]any) []byte {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err) // fields hold strings, numbers and booleans alone
	}
	return text
}
