import ControlFiles
import FilterDelivery
import Testing

private func arguments(_ command: String, root: String = "") -> [String]? {
    Vfilter.arguments(of: Array(command.utf8), Instance(root: Array(root.utf8)))?
        .map { String(decoding: $0, as: UTF8.self) }
}

@Test func `a command that is nothing but vfilter is known`() {
    #expect(arguments("/usr/sbin/vfilter") == [])
    #expect(arguments("  /usr/sbin/vfilter\t") == [])
    #expect(arguments("/usr/sbin/vfilter '' bounce-no-mailbox") == ["", "bounce-no-mailbox"])
    #expect(arguments("/usr/sbin/vfilter -m ./Mail_1") == ["-m", "./Mail_1"])
    #expect(arguments("/r/usr/sbin/vfilter", root: "/r") == [])
}

@Test(arguments: [
    "", "vfilter", "/usr/sbin/vfilterx", "/usr/sbin/vfilter;id", "/usr/sbin/vfilter '' &a@b.c",
    "/usr/sbin/vfilter -m $HOME", "/usr/sbin/vfilter \"\" delete", "/usr/sbin/vfilter | cat",
    "/usr/sbin/vfilter -m ~/M", "/bin/true /usr/sbin/vfilter", "X=1 /usr/sbin/vfilter",
    "/usr/sbin/vfilter #", "/usr/sbin/vfilter '' delete\\",
])
func `what needs a shell is left to it`(command: String) {
    #expect(arguments(command) == nil)
}
