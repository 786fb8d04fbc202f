import LocalUsers
import Posix
import Testbed
import Testing

/// Homes in a folder of their own, removed with its owner; ids are this process's unless said otherwise.
private final class Homes {
    let root = "/tmp/local-users." + String(decoding: uniqueName(), as: UTF8.self)
    let users: PasswordFile

    init() throws {
        try shell(
            """
            mkdir -p '\(root)'/joe '\(root)'/ann '\(root)'/alias '\(root)'/away && cd '\(root)'
            chown 2001 joe ann alias
            touch joe/.qmail-list joe/.qmail-team-default alias/.qmail-info 'alias/.qmail-first:last'
            touch ann/.qmail-default
            """)
        users = PasswordFile(
            Array(
                """
                root:x:0:0::\(root)/joe:/bin/sh
                # a comment
                broken:x:2001
                relative:x:2001:2001::joe:/bin/sh
                joe:x:2001:2001:Joe:\(root)/joe:/bin/sh
                ann:x:2001:2001::\(root)/ann:/bin/sh
                joe-ann:x:2001:2001::\(root)/ann:/bin/sh
                away:x:2001:2001::\(root)/away:/bin/sh
                gone:x:2001:2001::\(root)/gone:/bin/sh
                alias:x:2001:2001::\(root)/alias:/bin/sh
                """.utf8))
    }

    deinit { _ = try? shell("rm -rf '\(root)'") }  // What is left harms no other test.
}

@Test func `a line of the file is a user`() throws {
    let users = PasswordFile(Array("a:x:1:2::/a:/bin/sh\nab:x:3:4:A B:/b:\nx:y\n".utf8))
    #expect(users.user(named: Array("a".utf8))?.identifier == 1)
    let user = try #require(users.user(named: Array("ab".utf8)))
    #expect(user.identifier == 3 && user.group == 4 && user.home == Array("/b".utf8))
    for name in ["", "x", "b", "a:x", "A", "a\nab"] {
        #expect(users.user(named: Array(name.utf8)) == nil)
    }
    #expect(PasswordFile([]).user(named: [97]) == nil)
}

@Test(
    arguments: [
        ("joe", "joe", nil, true), ("JOE", "joe", nil, true), ("joe-list", "joe", "list", true),
        ("joe-List", "joe", "list", true), ("joe-other", "joe", "other", false),
        ("joe-team-a-b", "joe", "team-a-b", true), ("joe-team", "joe", "team", false),
        ("joe-team-", "joe", "team-", true), ("joe-", "joe", "", false),
        ("ann-anything", "ann", "anything", true), ("ann-", "ann", "", true),
        ("joe-ann", "joe-ann", nil, true), ("joe-ann-x", "joe-ann", "x", true),
        ("info", "alias", "info", true), ("first.last", "alias", "first:last", true),
        ("nobody-here", "alias", "nobody-here", false), ("root", "alias", "root", false),
        ("away", "alias", "away", false), ("gone", "alias", "gone", false),
        ("relative", "alias", "relative", false), ("joe+list", "alias", "joe+list", false),
        ("../joe", "alias", "../joe", false), ("joe-../x", "joe", "../x", false),
        ("", "alias", "", false),
    ] as [(String, String, String?, Bool)])
func `a local part is a user's, with an extension perhaps, or else of alias`(
    local: String, user: String, ext: String?, isDeliverable: Bool
) throws {
    let homes = try Homes()
    let address = try #require(
        try LocalAddress.find(
            Array(local.utf8), among: homes.users, separators: [UInt8(ascii: "-")]))
    #expect(address.user.name == Array(user.utf8))
    #expect(address.hasExtension == (ext != nil))
    if ext?.contains(":") != true { #expect(address.ext == Array((ext ?? "").utf8)) }
    #expect(try address.isDeliverable == isDeliverable)
}

@Test func `other separators can be chosen`() throws {
    let homes = try Homes()
    let both = Array("-+".utf8)
    let plus = try LocalAddress.find(Array("joe+list".utf8), among: homes.users, separators: both)
    #expect(plus?.user.name == Array("joe".utf8) && plus?.ext == Array("list".utf8))
    let hyphen = try LocalAddress.find(Array("joe-list".utf8), among: homes.users, separators: [43])
    #expect(hyphen?.user.name == Array("alias".utf8))
}

@Test func `without a user alias nobody else is there`() throws {
    let users = PasswordFile(Array("joe:x:2001:2001::/nonexistent:/bin/sh\n".utf8))
    #expect(try LocalAddress.find(Array("joe".utf8), among: users, separators: [45]) == nil)
}
