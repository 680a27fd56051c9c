// Command bench measures Matou and its peers side by side: one load generator,
// one scenario after another, all peers in turn within each round, so that
// what the machine does to one it does to all.
//
//	go run ./bench --quick
//	go run ./bench --only 'fanin|job' --peers matou,mosquitto --rounds 5
//
// README.md says what is measured and how. The measuring needs Linux: epoll
// for the generator, /proc for the servers' CPU and memory.
package main
