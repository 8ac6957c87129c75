// Package snapshot is the form in which stored responses are kept in a file.
//
// # Format
//
//	head    twice the same 64 bytes: magic, version, marker, time, records, checksum
//	record  marker, number, lengths, checksum; then the record's head and body; checksum
//	end     as a record without a head; its number is how many there were
//
// Numbers are least byte first, checksums are CRC-32C. The marker is 16 random bytes,
// new in each snapshot: where a record is broken, the next one is found by it, and no
// content can pretend to be a record, since nobody knows the marker before.
//
// What is in a record is the writer's business. A bit that flips loses the record that
// it is in; a file that is cut off loses what was behind the cut. [Reader] counts both.
//
// # Scope
//
// A checksum is no signature: who may write the file may say anything. Whoever reads it
// has to check what it says, and [WriteFile] keeps others from reading it.
package snapshot
