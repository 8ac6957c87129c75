package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// none stands where there is no value.
const none = "-"

// count writes a whole number with its digits in groups.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	for i := range len(s) {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(s[i])
	}
	return sign + b.String()
}

// figure writes a number with three digits that count, and all before the point.
func figure(f float64) string {
	switch a := math.Abs(f); {
	case a >= 100 || a == 0:
		return count(int64(math.Round(f)))
	case a >= 9.995:
		return strconv.FormatFloat(f, 'f', 1, 64)
	case a >= 0.01:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
	return strconv.FormatFloat(f, 'g', 1, 64)
}

// tickName writes a round number in little room.
func tickName(f float64) string {
	unit := ""
	switch {
	case f >= 1e9:
		f, unit = f/1e9, "G"
	case f >= 1e6:
		f, unit = f/1e6, "M"
	case f >= 1e4:
		f, unit = f/1e3, "k"
	}
	return strconv.FormatFloat(math.Round(f*1e6)/1e6, 'f', -1, 64) + unit
}

func percent(ratio float64) string { return strconv.FormatFloat(100*ratio, 'f', 1, 64) + " %" }

// millis writes microseconds as milliseconds.
func millis(us float64) string { return figure(us / 1000) }

var units = []string{"B", "KiB", "MiB", "GiB", "TiB"}

// size writes a number of bytes.
func size(n float64) string {
	i := 0
	for i < len(units)-1 && math.Abs(n) >= 1000 {
		n /= 1024
		i++
	}
	return figure(n) + " " + units[i]
}

// seconds writes a time.
func seconds(s float64) string {
	if s >= 120 {
		return fmt.Sprintf("%d min %02d s", int(s)/60, int(s)%60)
	}
	return figure(s) + " s"
}

// share writes a part of a whole in percent.
func share(part, all int64) string {
	if all == 0 {
		return none
	}
	return percent(float64(part) / float64(all))
}

// trimmed writes a number for a style sheet.
func trimmed(f float64) string { return strconv.FormatFloat(f, 'f', 3, 64) }
