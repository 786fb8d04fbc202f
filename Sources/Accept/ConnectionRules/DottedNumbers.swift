import ByteText

/// An IPv4 address, a prefix of one that ends in a dot, or a range of either: `10.2-3.`.
struct DottedNumbers {
    private let text: ArraySlice<UInt8>
    /// Where the range's two numbers stand, and which numbers it runs over.
    private var range: (place: Range<Int>, numbers: ClosedRange<Int>)?

    /// What `read` is to read.
    init(_ text: ArraySlice<UInt8>) { self.text = text }

    /// One key, or one for each number of the range.
    var keys: [[UInt8]] {
        guard let range else { return [Array(text)] }
        return range.numbers.map { number in
            Array(text[..<range.place.lowerBound]) + [UInt8](decimal: number)
                + Array(text[range.place.upperBound...])
        }
    }

    /// Find the range, if there is one, and what is wrong.
    mutating func read() throws(Misfit) {
        var count = 0
        var next = text.startIndex
        while true {
            let start = next
            let (low, end) = try Self.number(text, from: start)
            next = end
            if next < text.endIndex, text[next] == UInt8(ascii: "-"), range == nil {
                let (high, end) = try Self.number(text, from: next + 1, least: low, most: nil)
                next = end
                range = (start..<end, low...min(255, high))
            }
            count += 1
            if next == text.endIndex, count == 4 { return }
            guard count < 4 else { throw Misfit(next, "\":\" after the address's four numbers") }
            guard next < text.endIndex, text[next] == UInt8(ascii: ".") else {
                throw Misfit(next, "\".\" and more numbers, or \".\" at the end of a prefix")
            }
            next += 1
            if next == text.endIndex { return }
        }
    }

    /// A number without leading zeros, and where it ends.
    ///
    /// Without a most it may be larger than any address has.
    static func number(
        _ text: ArraySlice<UInt8>, from start: Int, least: Int = 0, most: Int? = 255
    ) throws(Misfit) -> (Int, end: Int) {
        let digits = text[start...].prefix { $0.isDigit }
        let hasLeadingZero = digits.count > 1 && digits.first == UInt8(ascii: "0")
        guard !hasLeadingZero, let number = Array(digits).decimalValue, number >= least,
            number <= most ?? number
        else {
            var expected = [UInt8]("a number from ")
            expected.append(decimal: least)
            expected.append(" to 255")
            throw Misfit(
                start, hasLeadingZero ? expected + [UInt8](" without leading zeros") : expected)
        }
        return (number, digits.endIndex)
    }
}
