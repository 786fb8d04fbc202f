import ByteText

/// An expression over a field's number, for instance `%p > 5 && %p <= 10`.
///
/// `||`, `&&`, `!`, the comparisons `< <= > >= == = !=`, `+ - * /`, parentheses, decimal numbers, and `%p` for the
/// number that the field has.
package struct NumberExpression {
    private let text: [UInt8]
    private let value: Double
    private var next = 0
    private var depth = 0

    private static let depthLimit = 32

    private init(_ text: [UInt8], value: Double) {
        self.text = text
        self.value = value
    }

    /// Whether a text is such an expression.
    package static func isValid(_ text: [UInt8]) -> Bool { result(text, value: 1) != nil }

    /// Whether the expression is true of a number; nil when the text is no expression.
    package static func holds(_ text: [UInt8], of value: Double) -> Bool? {
        result(text, value: value).map { $0 != 0 }
    }

    private static func result(_ text: [UInt8], value: Double) -> Double? {
        var expression = NumberExpression(text, value: value)
        guard let result = expression.either() else { return nil }
        expression.skipBlanks()
        return expression.next == text.count ? result : nil
    }

    /// The number at a text's start, as in `1 (Highest)`; nil when it begins with none.
    package static func number(at text: [UInt8]) -> Double? {
        var index = 0
        var isNegative = false
        if let sign = text.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            index = 1
        }
        guard let number = unsigned(text, &index) else { return nil }
        return isNegative ? -number : number
    }

    private static func unsigned(_ text: [UInt8], _ index: inout Int) -> Double? {
        guard index < text.count, text[index].isDigit else { return nil }
        var number = 0.0
        while index < text.count, text[index].isDigit {
            number = number * 10 + Double(text[index] - UInt8(ascii: "0"))
            index += 1
        }
        guard index + 1 < text.count, text[index] == UInt8(ascii: "."), text[index + 1].isDigit
        else { return number }
        index += 1
        var unit = 0.1
        while index < text.count, text[index].isDigit {
            number += unit * Double(text[index] - UInt8(ascii: "0"))
            unit /= 10
            index += 1
        }
        return number
    }

    private mutating func skipBlanks() {
        while next < text.count, text[next].isBlank { next += 1 }
    }

    private mutating func take(_ token: StaticString) -> Bool {
        skipBlanks()
        let length = token.utf8CodeUnitCount
        guard next + length <= text.count, Array(text[next..<next + length]).equals(token) else {
            return false
        }
        next += length
        return true
    }

    private mutating func either() -> Double? {
        guard var left = both() else { return nil }
        while take("||") {
            guard let right = both() else { return nil }
            left = left != 0 || right != 0 ? 1 : 0
        }
        return left
    }

    private mutating func both() -> Double? {
        guard var left = comparison() else { return nil }
        while take("&&") {
            guard let right = comparison() else { return nil }
            left = left != 0 && right != 0 ? 1 : 0
        }
        return left
    }

    private mutating func comparison() -> Double? {
        guard let left = sum() else { return nil }
        if take("<=") { return sum().map { left <= $0 ? 1 : 0 } }
        if take(">=") { return sum().map { left >= $0 ? 1 : 0 } }
        if take("==") || take("=") { return sum().map { left == $0 ? 1 : 0 } }
        if take("!=") { return sum().map { left != $0 ? 1 : 0 } }
        if take("<") { return sum().map { left < $0 ? 1 : 0 } }
        if take(">") { return sum().map { left > $0 ? 1 : 0 } }
        return left
    }

    private mutating func sum() -> Double? {
        guard var left = product() else { return nil }
        while true {
            if take("+") {
                guard let right = product() else { return nil }
                left += right
            } else if take("-") {
                guard let right = product() else { return nil }
                left -= right
            } else {
                return left
            }
        }
    }

    private mutating func product() -> Double? {
        guard var left = single() else { return nil }
        while true {
            if take("*") {
                guard let right = single() else { return nil }
                left *= right
            } else if take("/") {
                guard let right = single() else { return nil }
                left /= right
            } else {
                return left
            }
        }
    }

    private mutating func single() -> Double? {
        guard depth < Self.depthLimit else { return nil }
        depth += 1
        defer { depth -= 1 }
        if take("%p") { return value }
        if take("!") { return single().map { $0 == 0 ? 1 : 0 } }
        if take("-") { return single().map { -$0 } }
        if take("(") {
            guard let inner = either(), take(")") else { return nil }
            return inner
        }
        skipBlanks()
        return Self.unsigned(text, &next)
    }
}
