extension [UInt8] {
    /// The domain as the DNS has it: each label that is not ASCII as `xn--` and its Punycode; RFC 5891 §4.
    ///
    /// Nothing is mapped: letters are to be in lower case and composed already, as RFC 5891 §4.1 has it. Nil when the
    /// bytes are no UTF-8.
    package var asciiDomain: [UInt8]? {
        if isASCII { return self }
        guard isUTF8 else { return nil }
        var domain: [UInt8] = []
        let labels = split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for (i, label) in labels.enumerated() {
            if i > 0 { domain.append(UInt8(ascii: ".")) }
            let label = Array(label)
            if label.isASCII {
                domain += label
            } else {
                domain.append("xn--")
                domain += Self.punycode(label.scalars)
            }
        }
        return domain
    }

    /// The code points of well-formed UTF-8.
    private var scalars: [Int] {
        var scalars: [Int] = []
        for byte in self {
            switch byte {
            case 0x00...0x7F: scalars.append(Int(byte))
            case 0xC0...0xDF: scalars.append(Int(byte & 0x1F))
            case 0xE0...0xEF: scalars.append(Int(byte & 0x0F))
            case 0xF0...0xFF: scalars.append(Int(byte & 0x07))
            default:
                guard let last = scalars.popLast() else { continue }
                scalars.append(last << 6 | Int(byte & 0x3F))
            }
        }
        return scalars
    }

    /// RFC 3492 §6.3; its numbers are those of §5.
    private static func punycode(_ scalars: [Int]) -> [UInt8] {
        var output = scalars.filter { $0 < 128 }.map { UInt8(truncatingIfNeeded: $0) }
        let basic = output.count
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var handled = basic
        var next = 128
        var delta = 0
        var bias = 72
        while handled < scalars.count, let lowest = scalars.filter({ $0 >= next }).min() {
            delta += (lowest - next) * (handled + 1)
            next = lowest
            for scalar in scalars {
                if scalar < next { delta += 1 }
                guard scalar == next else { continue }
                appendNumber(delta, bias, to: &output)
                bias = adapted(delta, handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            next += 1
        }
        return output
    }

    /// A number of digits whose values depend on where they stand.
    private static func appendNumber(_ number: Int, _ bias: Int, to output: inout [UInt8]) {
        var rest = number
        var k = 36
        while true {
            let threshold = k <= bias ? 1 : Swift.min(26, k - bias)
            guard rest >= threshold else { break }
            output.append(digit(threshold + (rest - threshold) % (36 - threshold)))
            rest = (rest - threshold) / (36 - threshold)
            k += 36
        }
        output.append(digit(rest))
    }

    private static func digit(_ value: Int) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: value)
        return value < 26 ? UInt8(ascii: "a") + value : UInt8(ascii: "0") + value - 26
    }

    /// RFC 3492 §6.1.
    private static func adapted(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var rest = isFirst ? delta / 700 : delta / 2
        rest += rest / count
        var k = 0
        while rest > 455 {
            rest /= 35
            k += 36
        }
        return k + 36 * rest / (rest + 38)
    }
}
