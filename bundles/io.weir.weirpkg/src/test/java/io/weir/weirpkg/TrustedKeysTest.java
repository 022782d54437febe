package io.weir.weirpkg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weir.weirpkg.PackageFault.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrustedKeysTest {
  private static final KeyPair OURS = Signing.newKey();
  private static final KeyPair THEIRS = Signing.newKey();

  @TempDir
  Path folder;

  private static PackageReader reader(Optional<byte[]> signature) throws IOException {
    return new PackageReader(new ByteArrayInputStream(Packages.zipped(Packages.thermo(), signature)), Limits.NONE);
  }

  private static byte[] signedBy(KeyPair key) {
    return Signing.sign(Packages.manifest(Packages.thermo()).bytes(), key.getPrivate());
  }

  private void trust(String name, KeyPair key) throws IOException {
    Files.writeString(folder.resolve(name), Signing.pem(key.getPublic()));
  }

  @Test
  void whoeverIsTrustedIsNamed() throws IOException {
    trust("other.pem", THEIRS);
    trust("us.pub", OURS);

    assertThat(TrustedKeys.in(folder, false).signer(reader(Optional.of(signedBy(OURS))))).isEqualTo("us.pub");
  }

  @Test
  void withoutKeysEverybodyIsTrusted() throws IOException {
    assertThat(TrustedKeys.in(folder.resolve("none"), true).signer(reader(Optional.empty()))).isEmpty();
  }

  @Test
  void withKeysAnUnsignedPackageIsRefused() throws IOException {
    trust("us.pem", OURS);

    assertRefused(Kind.UNSIGNED, () -> TrustedKeys.in(folder, true).signer(reader(Optional.empty())));
  }

  @Test
  void aSignatureBySomebodyElseIsRefused() throws IOException {
    trust("us.pem", OURS);

    assertRefused(Kind.UNTRUSTED, () -> TrustedKeys.in(folder, true).signer(reader(Optional.of(signedBy(THEIRS)))));
    assertRefused(Kind.UNTRUSTED, () -> TrustedKeys.in(folder, true).signer(reader(Optional.of(new byte[64]))));
  }

  @Test
  void aSignatureCoversEveryByteOfEveryFile() throws IOException {
    trust("us.pem", OURS);
    Map<String, byte[]> other = Packages.thermo();
    other.get("images/thermo.tar")[7] = 1;
    byte[] moved = Packages.zipped(other, Optional.of(signedBy(OURS)));

    assertRefused(Kind.UNTRUSTED, () -> TrustedKeys.in(folder, true)
        .signer(new PackageReader(new ByteArrayInputStream(moved), Limits.NONE)));
  }

  @Test
  void aKeyThatCannotBeReadStopsEverything() throws IOException {
    trust("us.pem", OURS);
    Files.writeString(folder.resolve("broken.pem"), "nothing");

    assertRefused(Kind.UNTRUSTED, () -> TrustedKeys.in(folder, true));
  }

  @Test
  void aPrivateKeyInTheFolderIsAMistake() throws IOException {
    Files.writeString(folder.resolve("us.pem"), Signing.pem(OURS.getPrivate()));

    assertThatThrownBy(() -> TrustedKeys.in(folder, true)).hasMessageContaining("keep it off the gateway");
  }

  @Test
  void aFolderThatWasNamedMustBeThere() {
    assertRefused(Kind.UNTRUSTED, () -> TrustedKeys.in(folder.resolve("none"), false));
  }

  @Test
  void keysArePemFilesAsOpenSslWritesThem() {
    String pem = Signing.pem(OURS.getPrivate());

    assertThat(Signing.privateKey(pem)).isEqualTo(OURS.getPrivate());
    assertThat(Signing.publicKey(Signing.pem(OURS.getPublic()))).isEqualTo(OURS.getPublic());
    assertThat(pem).startsWith("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw");
  }

  private static void assertRefused(Kind kind, org.assertj.core.api.ThrowableAssert.ThrowingCallable what) {
    assertThatThrownBy(what).isInstanceOf(PackageFault.class)
        .satisfies(fault -> assertThat(((PackageFault) fault).kind()).isEqualTo(kind));
  }
}
