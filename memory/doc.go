// Package memory keeps the process within the memory it was promised.
//
// A store that is full to its size is only a part of the process: beside it are
// connections, bodies on their way, and what the garbage collector has not found
// yet. [Bound] says how much all of it may be. [Keeper] tunes the collector to
// that, and when what is not the store grows, takes it from the store: a cache
// that is smaller for a while is better than a process that is killed. When the store has
// no more to give it asks for what else holds memory to be ended.
//
// [Available] tells how much memory there is: the limit of the container, or the
// memory of the machine.
package memory
