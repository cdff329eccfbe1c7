// Package consoletest opens the pages of packages httpapi and console in Chromium. It is
// a module of its own, so that what drives the browser is no dependency of anyone else.
//
//	go test ./...                                            # each screen once, and the journeys
//	go test . -args -long                                    # all screens, light and dark, wide and narrow
//	go test . -run TestScreens/docs -args -shots /tmp/shots  # pictures of some screens
//	go run ./shot -h                                         # a picture of any page
//
// The tests need Chromium, as "chromium" in PATH or where BUCKETLITE_CHROMIUM says, and
// fail without it.
package consoletest
