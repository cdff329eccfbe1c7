package record

import (
	"bufio"
	"path"
	"strings"
)

// FormOf returns the form of a text: "jsonl", "json", "csv" or "tsv". The name of its file
// decides, or else how it begins. It takes nothing from the reader.
func FormOf(name string, text *bufio.Reader) string {
	switch form := FormOfName(name); {
	case form != "":
		return form
	case BeginsArray(text):
		return "json"
	}
	return "jsonl"
}

// FormOfName returns the form that the extension of a file's name stands for, empty if only
// the text can tell.
func FormOfName(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv":
		return "csv"
	case ".tsv", ".tab":
		return "tsv"
	case ".jsonl", ".ndjson":
		return "jsonl"
	}
	return ""
}
