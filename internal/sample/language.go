package sample

import (
	"math"
	"strconv"
	"strings"
)

// A program is made of lines.
type program []string

// line adds a line.
func (p *program) line(parts ...string) { *p = append(*p, strings.Join(parts, "")) }

// String returns the lines.
func (p program) String() string { return strings.Join(p, "\n") }

// curl returns a command for a POSIX shell.
func (c *call) curl() string {
	lines := []string{`"$BUCKETLITE_URL` + c.target + `"`}
	if !c.keyless {
		lines = append(lines, `-H "Authorization: Bearer $BUCKETLITE_API_KEY"`)
	}
	for _, h := range c.headers {
		if c.body == nil || h != [2]string{"Content-Type", "application/json"} { // --json sends it
			lines = append(lines, "-H "+quoteShell(curlHeader(h)))
		}
	}
	method := "GET" // what curl sends by itself
	switch {
	case c.body != nil:
		method = "POST"
		lines = append(lines, "--json "+quoteShell(jsonText.write(c.body, "")))
	case c.file != "":
		method = "PUT"
		lines = append(lines, curlFile(c.file))
	}
	options := "-sS --fail-with-body"
	switch {
	case c.method == "HEAD" && method == "GET":
		options = "-sS --head"
	case c.method != method:
		lines[0] = "-X " + c.method + " " + lines[0]
	}
	if c.raw {
		options += " -N" // lines are shown as they come
	}
	return "curl " + options + " " + strings.Join(lines, " \\\n  ")
}

// curlHeader returns a header as curl reads it, which takes a semicolon for an empty one.
func curlHeader(h [2]string) string {
	if strings.TrimSpace(h[1]) == "" {
		return h[0] + ";"
	}
	return h[0] + ": " + h[1]
}

// curlFile returns the option that sends a file. curl reads "-" and "." as standard input,
// and brackets as patterns.
func curlFile(name string) string {
	option := "-T "
	if strings.ContainsAny(name, `{}[]\`) {
		option = "--globoff -T "
	}
	if name == "-" || name == "." {
		name = "./" + name
	}
	return option + quoteShell(name)
}

var pythonValue = &dialect{
	quote: quotePython, member: quotePython, comma: ",", indent: "    ",
	words: map[string]string{"true": "True", "false": "False", "null": "None"},
}

// python returns a program for Python 3.
func (c *call) python() string {
	var p program
	literal := c.body != nil && exact(c.body, math.Inf(1), 0)
	if literal || !c.raw {
		p.line("import json, os, sys")
	} else {
		p.line("import os, sys")
	}
	p.line("from urllib.error import HTTPError")
	p.line("from urllib.request import Request, urlopen")
	p.line()
	p.line("request = Request(")
	p.line(`    os.environ["BUCKETLITE_URL"] + "`, c.target, `",`)
	p.line("    method=", quotePython(c.method), ",")
	if !c.keyless || len(c.headers) > 0 {
		p.line("    headers={")
		if !c.keyless {
			p.line(`        "Authorization": "Bearer " + os.environ["BUCKETLITE_API_KEY"],`)
		}
		for _, h := range c.headers {
			p.line("        ", quotePython(h[0]), ": ", quotePython(h[1]), ",")
		}
		p.line("    },")
	}
	switch {
	case literal:
		p.line("    data=json.dumps(", pythonValue.write(c.body, "    "), ").encode(),")
	case c.body != nil:
		p.line("    data=", quotePython(jsonText.line(c.body)), ".encode(),")
	case c.file != "":
		p.line("    data=open(", quotePython(c.file), `, "rb"),`)
	}
	p.line(")")
	p.line("try:")
	p.line("    with urlopen(request) as response:")
	if c.raw {
		p.line("        for part in response:")
		p.line("            sys.stdout.buffer.write(part)")
		p.line("            sys.stdout.flush()")
	} else {
		p.line("        answer = json.load(response)")
		p.line("    print(json.dumps(answer, indent=2))")
	}
	p.line("except HTTPError as error:")
	p.line("    sys.exit(error.read().decode())")
	return p.String()
}

var javaScriptValue = &dialect{quote: quoteJSON, member: quoteMember, comma: ",", indent: "  "}

// quoteMember returns the name of a member in an object literal of JavaScript, where
// __proto__ alone would set the prototype.
func quoteMember(name string) string {
	if name == "__proto__" {
		return `["__proto__"]`
	}
	return quoteJSON(name)
}

// javaScript returns a module for Node 18 or newer.
func (c *call) javaScript() string {
	var p program
	if c.file != "" && c.body == nil {
		p.line(`import { readFile } from "node:fs/promises";`)
		p.line()
	}
	p.line(`const response = await fetch(process.env.BUCKETLITE_URL + "`, c.target, `", {`)
	p.line("  method: ", quoteJSON(c.method), ",")
	if !c.keyless || len(c.headers) > 0 {
		p.line("  headers: {")
		if !c.keyless {
			p.line(`    "Authorization": "Bearer " + process.env.BUCKETLITE_API_KEY,`)
		}
		for _, h := range c.headers {
			p.line("    ", quoteJSON(h[0]), ": ", quoteJSON(h[1]), ",")
		}
		p.line("  },")
	}
	switch {
	case c.body != nil && exact(c.body, 1<<53, 0):
		p.line("  body: JSON.stringify(", javaScriptValue.write(c.body, "  "), "),")
	case c.body != nil:
		p.line("  body: ", quoteJSON(jsonText.line(c.body)), ",")
	case c.file != "":
		p.line("  body: await readFile(", quoteJSON(c.file), "),")
	}
	p.line("});")
	p.line("if (!response.ok) throw new Error(await response.text());")
	if c.raw {
		p.line("for await (const part of response.body ?? []) process.stdout.write(part);")
	} else {
		p.line("const answer = await response.json();")
		p.line("console.log(JSON.stringify(answer, null, 2));")
	}
	return p.String()
}

// golang returns a file of package main.
func (c *call) golang() string {
	var p program
	p.line("package main")
	p.line()
	p.line("import (")
	p.line("\t\"io\"")
	p.line("\t\"log\"")
	p.line("\t\"net/http\"")
	p.line("\t\"os\"")
	if c.body != nil {
		p.line("\t\"strings\"")
	}
	p.line(")")
	p.line()
	p.line("func main() {")
	body := "nil"
	switch {
	case c.body != nil:
		body = "body"
		// JSON has the character of Go's raw strings in strings alone, where it can be escaped.
		p.line("\tbody := strings.NewReader(`", strings.ReplaceAll(jsonText.write(c.body, ""), "`", `\u0060`), "`)")
	case c.file != "":
		body = "file"
		p.line("\tfile, err := os.Open(", strconv.Quote(c.file), ")")
		p.goFails()
	}
	p.line("\trequest, err := http.NewRequest(", strconv.Quote(c.method), ", os.Getenv(\"BUCKETLITE_URL\")+\"", c.target, "\", ", body, ")")
	p.goFails()
	if !c.keyless {
		p.line("\trequest.Header.Set(\"Authorization\", \"Bearer \"+os.Getenv(\"BUCKETLITE_API_KEY\"))")
	}
	for _, h := range c.headers {
		p.line("\trequest.Header.Set(", strconv.Quote(h[0]), ", ", strconv.Quote(h[1]), ")")
	}
	p.line("\tresponse, err := http.DefaultClient.Do(request)")
	p.goFails()
	p.line("\tdefer response.Body.Close()")
	p.line("\tio.Copy(os.Stdout, response.Body)")
	p.line("\tif response.StatusCode >= 400 {")
	p.line("\t\tlog.Fatal(response.Status)")
	p.line("\t}")
	p.line("}")
	return p.String()
}

// goFails writes the lines that end a Go program if there is an error.
func (p *program) goFails() {
	p.line("\tif err != nil {")
	p.line("\t\tlog.Fatal(err)")
	p.line("\t}")
}
