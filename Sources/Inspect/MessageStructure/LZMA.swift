/// LZMA, for the packed header of a 7z archive; lzma-specification.txt of the LZMA SDK.
struct LZMA {
    private let input: ArraySlice<UInt8>
    private var next: Int
    private var range: UInt32 = 0xFFFF_FFFF
    private var code: UInt32 = 0
    private var output: [UInt8] = []
    private let lc: Int
    private let lp: Int
    private let pb: Int
    /// The probabilities of all models, each at its place.
    private var models: [UInt16]

    /// Where the models of each kind begin.
    private enum Place {
        static let isMatch = 0
        static let isRepeat = 192
        static let isRepeat0 = 204
        static let isRepeat1 = 216
        static let isRepeat2 = 228
        static let isRepeat0Long = 240
        static let slots = 432
        static let distances = 688
        static let alignment = 816
        /// Two choices, 16 low trees, 16 middle trees and the high tree.
        static let matchLength = 832
        static let repeatLength = 1346
        static let literals = 1860
    }

    /// The bytes that an LZMA stream stands for.
    ///
    /// - Parameters:
    ///   - input: The stream without a header.
    ///   - properties: Five bytes: lc, lp and pb in one, and the dictionary's size, which is not needed.
    ///   - size: How many bytes it stands for.
    /// - Returns: Nil when it is damaged.
    static func decoded(_ input: ArraySlice<UInt8>, _ properties: [UInt8], size: Int) -> [UInt8]? {
        guard properties.count == 5, properties[0] < 225, input.count > 5, input.first == 0 else {
            return nil
        }
        var decoder = LZMA(input, Int(properties[0]))
        return decoder.run(size) ? decoder.output : nil
    }

    private init(_ input: ArraySlice<UInt8>, _ properties: Int) {
        self.input = input
        next = input.startIndex + 1
        lc = properties % 9
        lp = properties / 9 % 5
        pb = properties / 45
        models = [UInt16](repeating: 1024, count: Place.literals + 0x300 << (lc + lp))
        for _ in 0..<4 { code = code << 8 | UInt32(byte()) }
    }

    /// Bytes behind the end are zeros: what comes of them is damaged, and of bounded length.
    private mutating func byte() -> UInt8 {
        guard next < input.endIndex else { return 0 }
        next += 1
        return input[next - 1]
    }

    private mutating func normalize() {
        guard range < 1 << 24 else { return }
        range <<= 8
        code = code << 8 | UInt32(byte())
    }

    private mutating func bit(_ model: Int) -> Int {
        let probability = UInt32(models[model])
        let bound = (range >> 11) &* probability
        defer { normalize() }
        if code < bound {
            range = bound
            models[model] = UInt16(probability + (2048 - probability) >> 5)
            return 0
        }
        range -= bound
        code -= bound
        models[model] = UInt16(probability - probability >> 5)
        return 1
    }

    private mutating func tree(_ place: Int, bits: Int) -> Int {
        var m = 1
        for _ in 0..<bits { m = m << 1 | bit(place + m) }
        return m - 1 << bits
    }

    private mutating func reverseTree(_ place: Int, bits: Int) -> Int {
        var m = 1
        var value = 0
        for i in 0..<bits {
            let digit = bit(place + m)
            m = m << 1 | digit
            value |= digit << i
        }
        return value
    }

    private mutating func directBits(_ count: Int) -> Int {
        var value = 0
        for _ in 0..<count {
            range >>= 1
            let isOne = code >= range
            if isOne { code -= range }
            value = value << 1 | (isOne ? 1 : 0)
            normalize()
        }
        return value
    }

    private mutating func length(_ place: Int, _ position: Int) -> Int {
        if bit(place) == 0 { return tree(place + 2 + position * 8, bits: 3) }
        if bit(place + 1) == 0 { return 8 + tree(place + 130 + position * 8, bits: 3) }
        return 16 + tree(place + 258, bits: 8)
    }

    /// The distance of a match, less one.
    private mutating func distance(_ length: Int) -> Int {
        let slot = tree(Place.slots + min(length, 3) * 64, bits: 6)
        guard slot > 3 else { return slot }
        let direct = slot >> 1 - 1
        let base = (2 | slot & 1) << direct
        guard slot > 13 else {
            return base + reverseTree(Place.distances + base - slot, bits: direct)
        }
        return base + directBits(direct - 4) << 4 + reverseTree(Place.alignment, bits: 4)
    }

    private mutating func literal(_ state: Int, _ distance: Int) {
        let before = Int(output.last ?? 0)
        let context = (output.count & (1 << lp - 1)) << lc + before >> (8 - lc)
        let place = Place.literals + 0x300 * context
        var symbol = 1
        if state > 6 {
            var match = Int(output[output.count - distance - 1])
            while symbol < 0x100 {
                let expected = match >> 7 & 1
                match <<= 1
                let digit = bit(place + (1 + expected) << 8 + symbol)
                symbol = symbol << 1 | digit
                if digit != expected { break }
            }
        }
        while symbol < 0x100 { symbol = symbol << 1 | bit(place + symbol) }
        output.append(UInt8(truncatingIfNeeded: symbol))
    }

    private mutating func run(_ size: Int) -> Bool {
        var last = [0, 0, 0, 0]
        var state = 0
        while output.count < size {
            let position = output.count & (1 << pb - 1)
            if bit(Place.isMatch + state << 4 + position) == 0 {
                literal(state, last[0])
                state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6
                continue
            }
            var count = 1
            if bit(Place.isRepeat + state) == 0 {
                let length = length(Place.matchLength, position)
                last = [distance(length), last[0], last[1], last[2]]
                count = length + 2
                state = state < 7 ? 7 : 10
            } else {
                guard !output.isEmpty else { return false }
                let isShort = chooseRepeat(&last, state, position)
                count = isShort ? 1 : length(Place.repeatLength, position) + 2
                state = isShort ? (state < 7 ? 9 : 11) : state < 7 ? 8 : 11
            }
            // The mark of the end is such a distance, too.
            guard last[0] < output.count, count <= size - output.count else { return false }
            for _ in 0..<count { output.append(output[output.count - last[0] - 1]) }
        }
        return true
    }

    /// Bring the distance that is used again to the front; true for one byte of the last one.
    private mutating func chooseRepeat(_ last: inout [Int], _ state: Int, _ position: Int) -> Bool {
        if bit(Place.isRepeat0 + state) == 0 {
            return bit(Place.isRepeat0Long + state << 4 + position) == 0
        }
        var i = 1
        if bit(Place.isRepeat1 + state) == 1 { i = 2 + bit(Place.isRepeat2 + state) }
        let chosen = last.remove(at: i)
        last.insert(chosen, at: 0)
        return false
    }
}
