module github.com/matou-iot/matou/test/foreign

go 1.26.0

require (
	github.com/google/shlex v0.0.0-20191202100458-e7afc7fbc510 // indirect
	tinygo.org/x/drivers v0.26.0
)
