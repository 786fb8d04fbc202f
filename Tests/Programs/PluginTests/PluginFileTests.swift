import Testbed
import Testing

/// The installed plugins as files.
struct PluginFileTests {
    @Test(arguments: [("clamd.so", ""), ("libclamav.so", "libclamav.so.12 ")])
    func `a plugin shows two symbols and needs nothing but libc and its engine`(
        file: String, engine: String
    ) throws {
        let path = HostRun.plugins + "/" + file
        let symbols = try shell("nm -D --defined-only '\(path)' | cut -d' ' -f2- | tr '\\n' ' '")
        #expect(symbols == "T virusscan T virusscan_v1 ")
        let needed = try shell(
            "readelf -d '\(path)' | sed -n 's/.*NEEDED.*\\[\\(.*\\)\\]/\\1/p' | sort -r | tr '\\n' ' '"
        )
        #expect(needed == engine + "libc.so.6 ")
    }
}
