package bucketlite

import (
	"embed"
	"io/fs"
)

// migrationFiles are the steps that upgrade a file from one format to the next. The
// list is append-only, since every file of a released version must open.
//
//go:embed migrations/0*.sql
var migrationFiles embed.FS

// newest makes a new file as all migrations would, in less time. A test generates it.
//
//go:embed migrations/newest.sql
var newest string

// applicationID marks a file as ours: "bktl".
const applicationID = 0x626b746c

// migrations returns the steps in order of their numbers.
func migrations() []string {
	names, err := fs.Glob(migrationFiles, "migrations/0*.sql") // sorted
	if err != nil {
		panic(err)
	}
	steps := make([]string, len(names))
	for i, name := range names {
		sql, err := migrationFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		steps[i] = string(sql)
	}
	return steps
}
