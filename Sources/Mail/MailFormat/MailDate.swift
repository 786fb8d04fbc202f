import ByteText

/// Dates as mail writes them.
package enum MailDate {
    /// The date-time of RFC 5322 §3.3 in UTC, for instance `Thu, 01 Jan 1970 00:00:00 +0000`.
    ///
    /// The seconds are those since 1970 began in UTC, leap seconds not counted; they may be negative.
    package static func rfc5322(seconds: Int) -> [UInt8] {
        let (day, second) = seconds.dividedIntoDays
        let date = CivilDate(day: day)
        var text = [UInt8](weekday(day))
        text.append(", ")
        text.append(twoDigits: date.day)
        text.append(" ")
        text.append(month(date.month))
        text.append(" ")
        text.append(decimal: date.year)
        text.append(" ")
        append(time: second, ":", to: &text)
        text.append(" +0000")
        return text
    }

    /// The date of an mbox's `From ` line in UTC, for instance `Thu Jan  1 00:00:00 1970`.
    ///
    /// The seconds are as for `rfc5322`.
    package static func mbox(seconds: Int) -> [UInt8] {
        let (day, second) = seconds.dividedIntoDays
        let date = CivilDate(day: day)
        var text = [UInt8](weekday(day))
        text.append(" ")
        text.append(month(date.month))
        text.append(date.day < 10 ? "  " : " ")
        text.append(decimal: date.day)
        text.append(" ")
        text.append(twoDigits: second / 3600)
        text.append(":")
        text.append(twoDigits: second / 60 % 60)
        text.append(":")
        text.append(twoDigits: second % 60)
        text.append(" ")
        text.append(decimal: date.year)
        return text
    }

    /// A moment in UTC for people, as lists of a queue have it, for instance `1 Jan 1970 00:00:00 GMT`.
    package static func listed(seconds: Int) -> [UInt8] {
        let (day, second) = seconds.dividedIntoDays
        let date = CivilDate(day: day)
        var text = [UInt8](decimal: date.day)
        text.append(" ")
        text.append(month(date.month))
        text.append(" ")
        text.append(decimal: date.year)
        text.append(" ")
        append(time: second, ":", to: &text)
        text.append(" GMT")
        return text
    }

    /// A moment in UTC as 14 digits, year first, for the years from 1000 to 9999.
    package static func digits(seconds: Int) -> [UInt8] {
        let (day, second) = seconds.dividedIntoDays
        let date = CivilDate(day: day)
        var text = [UInt8](decimal: date.year)
        text.append(twoDigits: date.month)
        text.append(twoDigits: date.day)
        append(time: second, "", to: &text)
        return text
    }

    private static func append(
        time second: Int, _ separator: StaticString, to text: inout [UInt8]
    ) {
        text.append(twoDigits: second / 3600)
        text.append(separator)
        text.append(twoDigits: second / 60 % 60)
        text.append(separator)
        text.append(twoDigits: second % 60)
    }

    private static func weekday(_ day: Int) -> StaticString {
        // 1970 began on a Thursday.
        switch (day % 7 + 7) % 7 {
        case 0: "Thu"
        case 1: "Fri"
        case 2: "Sat"
        case 3: "Sun"
        case 4: "Mon"
        case 5: "Tue"
        default: "Wed"
        }
    }

    private static func month(_ month: Int) -> StaticString {
        switch month {
        case 1: "Jan"
        case 2: "Feb"
        case 3: "Mar"
        case 4: "Apr"
        case 5: "May"
        case 6: "Jun"
        case 7: "Jul"
        case 8: "Aug"
        case 9: "Sep"
        case 10: "Oct"
        case 11: "Nov"
        default: "Dec"
        }
    }
}

/// A day of the Gregorian calendar.
private struct CivilDate {
    let year: Int
    let month: Int
    let day: Int

    /// The day that comes `count` days after 1970-01-01.
    init(day count: Int) {
        // Years are taken to begin in March, so that the leap day is the last one, and days are counted
        // from the start of a cycle of 400 years, which always has 146097.
        let shifted = count + 719_468  // Days from 0000-03-01 to 1970-01-01.
        let cycle = shifted.flooredQuotient(by: 146_097)
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle =
            (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        // Five months from March, and again from August, have 153 days.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
    }
}

extension Int {
    /// Whole days, and the seconds of the last, 0 to 86399; no number of seconds is too small or too great.
    fileprivate var dividedIntoDays: (day: Int, second: Int) {
        let (days, rest) = quotientAndRemainder(dividingBy: 86400)
        return rest < 0 ? (days - 1, rest + 86400) : (days, rest)
    }

    fileprivate func flooredQuotient(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension [UInt8] {
    fileprivate mutating func append(twoDigits value: Int) {
        if value < 10 { append("0") }
        append(decimal: value)
    }
}
