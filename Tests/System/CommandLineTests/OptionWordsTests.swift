import ByteText
import CommandLine
import Testing

/// The letters of a command line with their values, `f` and `d` having one, and the words behind them.
private func read(_ line: String) -> (options: [String], rest: [String]) {
    var words = OptionWords(line.split(separator: " ").map { Array($0.utf8) }[...])
    var options: [String] = []
    while let letter = words.next() {
        var option = String(UnicodeScalar(letter))
        if option == "f" || option == "d" {
            option += "=" + (words.value().map { String(decoding: $0, as: UTF8.self) } ?? "none")
        }
        options.append(option)
    }
    return (options, words.rest.map { String(decoding: $0, as: UTF8.self) })
}

@Suite struct OptionWordsTests {
    @Test(
        arguments: [
            ("", [], []), ("a b", [], ["a", "b"]), ("-a -b c", ["a", "b"], ["c"]),
            ("-ab c -d", ["a", "b"], ["c", "-d"]), ("-fx -b", ["f=x", "b"], []),
            ("-f x -b", ["f=x", "b"], []), ("-af", ["a", "f=none"], []), ("-f -b", ["f=-b"], []),
            ("-a -- -b", ["a"], ["-b"]), ("- -a", [], ["-", "-a"]),
            ("-id3 x", ["i", "d=3"], ["x"]),
        ] as [(String, [String], [String])])
    func `options, values and other words are told apart as getopt(3) does`(
        line: String, options: [String], rest: [String]
    ) {
        let read = read(line)
        #expect(read.options == options)
        #expect(read.rest == rest)
    }
}
