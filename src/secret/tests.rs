use super::Secret;

#[test]
fn debug_shows_nothing_and_expose_shows_all() {
    let secret = Secret::new("hunter2".to_owned());
    assert_eq!(format!("{secret:?}"), "[secret]");
    assert_eq!(format!("{secret:#?}"), "[secret]");
    assert_eq!(format!("{:?}", Some(&secret)), "Some([secret])");
    assert_eq!(secret.expose(), "hunter2");
}
