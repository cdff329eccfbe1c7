// Command bench runs the same work on the same rows through bucketlite and through its
// peers, in interleaved rounds of one process, and prints a table:
//
//	go -C bench run . [-quick] [-full] [-only REGEXP] [-peers REGEXP] [-rounds N] [-dir DIR] [-name NAME]
//
// README.md says what is compared with what, and how to read the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"time"
)

// config is what the flags set.
type config struct {
	quick, full bool
	only, peers *regexp.Regexp
	rounds      int
	dir, name   string
}

func main() {
	c, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		if task := os.Getenv(taskVariable); task != "" {
			err = runBlobTask(ctx, task, os.Stdout)
		} else {
			err = run(ctx, c, os.Stdout, os.Stderr)
		}
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// parse returns the configuration of a command line.
func parse(args []string) (*config, error) {
	c := &config{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&c.quick, "quick", false, "short rounds on small stores, in less than two minutes")
	flags.BoolVar(&c.full, "full", false, "also three million objects, blobs of 1 GiB and growth to a million, without a limit of time")
	only := flags.String("only", "", "only the works with a line that matches this regular expression, or with such a name")
	some := flags.String("peers", "", "only the peers whose name matches this regular expression")
	flags.IntVar(&c.rounds, "rounds", 0, "the number of rounds (default 5, with -quick 1)")
	flags.StringVar(&c.dir, "dir", ".", "the directory for the files of all peers, on the disk to be measured")
	flags.StringVar(&c.name, "name", "", "the name of the files in results/ (default the date, and none with -only, -peers or -quick)")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("got argument %q, want flags alone", flags.Arg(0))
	}
	if c.quick && c.full {
		return nil, errors.New("-quick and -full exclude each other")
	}
	switch {
	case c.rounds < 0:
		return nil, fmt.Errorf("-rounds: got %d, want 1 or more", c.rounds)
	case c.rounds == 0 && c.quick:
		c.rounds = 1
	case c.rounds == 0:
		c.rounds = 5
	}
	var err error
	if c.only, err = regexp.Compile(*only); err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	if c.peers, err = regexp.Compile(*some); err != nil {
		return nil, fmt.Errorf("-peers: %w", err)
	}
	if c.name == "" && *only == "" && *some == "" && !c.quick {
		c.name = time.Now().Format(time.DateOnly)
	}
	return c, nil
}

// run does the works, prints each line when it is known, and writes the results.
func run(ctx context.Context, c *config, out, progress io.Writer) error {
	if err := sameSQLite("../go.mod"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.dir, "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, rounds: c.rounds, budget: 800 * time.Millisecond, scale: 1, full: c.full, progress: progress, results: results{}}
	if c.quick {
		b.budget, b.scale = time.Second/10, 10
	}
	r := &report{config: c, machine: machineOf(c.dir), began: time.Now(), results: b.results}
	r.works = chosen(works(c.full), c)
	if len(r.works) == 0 {
		return fmt.Errorf("no line matches -only %q and has a peer that matches -peers %q", c.only, c.peers)
	}
	fmt.Fprintln(out, r.machine)
	if c.quick {
		fmt.Fprintln(out, "\nA quick run: all sizes are a tenth of those in the names.")
	}
	for i, w := range r.works {
		if i == 0 || r.works[i-1].section != w.section {
			fmt.Fprint(out, r.header(w.section, columns(r.works, w.section)))
		}
		if err := b.run(ctx, w); err != nil {
			return err
		}
		for _, l := range w.lines {
			fmt.Fprintln(out, r.line(l, columns(r.works, w.section)))
		}
	}
	r.took = time.Since(r.began)
	fmt.Fprintf(out, "\n%s\n", r.summary())
	if c.name == "" {
		return nil
	}
	return r.write("results")
}

// works are all works, in the order of the report.
func works(full bool) []*work {
	return slices.Concat(writes(), reads(), wires(), latencies(), wholeFiles(), blobs(), growths(full))
}

// The sections of the report.
const (
	writing  = "Writes, objects a second"
	reading  = "Reads, objects a second"
	serving  = "Over the network, requests a second"
	latency  = "Small puts beside large work"
	filing   = "Files"
	blobbing = "Blobs"
	growth   = "Growth, a second: reads of objects and pages, rows counted, statistics, objects written"
)

// chosen returns the works that are asked for by their own name or that of a line, with
// the peers that are asked for. Works without any are left out.
func chosen(works []*work, c *config) (some []*work) {
	for _, w := range works {
		wanted := c.only.MatchString(w.name)
		for _, l := range w.lines {
			wanted = wanted || c.only.MatchString(l.name)
		}
		w.restrict(c.peers)
		if wanted && len(w.peers) > 0 && (c.full || !w.full) {
			some = append(some, w)
		}
	}
	return some
}
