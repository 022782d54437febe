package io.weir.itest.kura;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.eclipse.kura.configuration.metatype.AD;
import org.eclipse.kura.configuration.metatype.Icon;
import org.eclipse.kura.configuration.metatype.OCD;
import org.eclipse.kura.configuration.metatype.Option;
import org.eclipse.kura.configuration.metatype.Scalar;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;

/** A metatype file as Kura reads it. */
record Metatype(String pid, boolean factory, Definition definition) {

  record Definition(String id, String name, String description, List<AD> attributes, List<Icon> icons) implements OCD {
    @Override
    public List<AD> getAD() {
      return attributes;
    }

    @Override
    public List<Icon> getIcon() {
      return icons;
    }

    @Override
    public String getName() {
      return name;
    }

    @Override
    public String getDescription() {
      return description;
    }

    @Override
    public String getId() {
      return id;
    }
  }

  record Picture(String resource, BigInteger size) implements Icon {
    @Override
    public String getResource() {
      return resource;
    }

    @Override
    public BigInteger getSize() {
      return size;
    }
  }

  record Choice(String label, String value) implements Option {
    @Override
    public String getLabel() {
      return label;
    }

    @Override
    public String getValue() {
      return value;
    }
  }

  record Attribute(Element element, List<Option> options) implements AD {
    private String text(String name) {
      return element.hasAttribute(name) ? element.getAttribute(name) : null;
    }

    @Override
    public List<Option> getOption() {
      return options;
    }

    @Override
    public String getName() {
      return text("name");
    }

    @Override
    public String getDescription() {
      return text("description");
    }

    @Override
    public String getId() {
      return text("id");
    }

    /** Any other type makes all of the file fail. */
    @Override
    public Scalar getType() {
      return Scalar.fromValue(text("type"));
    }

    @Override
    public int getCardinality() {
      return element.hasAttribute("cardinality") ? Integer.parseInt(text("cardinality")) : 0;
    }

    @Override
    public String getMin() {
      return text("min");
    }

    @Override
    public String getMax() {
      return text("max");
    }

    @Override
    public String getDefault() {
      return text("default");
    }

    @Override
    public boolean isRequired() {
      return !"false".equals(text("required"));
    }
  }

  /** @return null where the file does not say what its name says, which Kura does not see at all */
  static Metatype read(URL file, String pid) {
    Element root;
    try (InputStream in = file.openStream()) {
      root = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in).getDocumentElement();
    } catch (IOException | SAXException | ParserConfigurationException e) {
      throw new IllegalStateException(file.toString(), e);
    }
    Element designate = children(root, "Designate").stream().filter(it -> pid.equals(it.getAttribute("pid"))
        || pid.equals(it.getAttribute("factoryPid"))).findFirst().orElse(null);
    Element definition = children(root, "OCD").stream().filter(it -> pid.equals(it.getAttribute("id"))).findFirst()
        .orElse(null);
    if (designate == null || definition == null) {
      return null;
    }
    List<AD> attributes = new ArrayList<>();
    for (Element each : children(definition, "AD")) {
      Attribute attribute = new Attribute(each, children(each, "Option").stream()
          .<Option>map(option -> new Choice(option.getAttribute("label"), option.getAttribute("value"))).toList());
      attribute.getType();
      attributes.add(attribute);
    }
    List<Icon> icons = children(definition, "Icon").stream().<Icon>map(icon ->
        new Picture(icon.getAttribute("resource"), new BigInteger(icon.getAttribute("size")))).toList();
    return new Metatype(pid, designate.getAttribute("factoryPid").equals(pid), new Definition(pid,
        definition.getAttribute("name"), definition.getAttribute("description"), attributes, icons));
  }

  private static List<Element> children(Element parent, String name) {
    return IntStream.range(0, parent.getChildNodes().getLength()).mapToObj(parent.getChildNodes()::item)
        .filter(Element.class::isInstance).map(Element.class::cast).filter(it -> it.getNodeName().equals(name)).toList();
  }
}
